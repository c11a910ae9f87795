// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints, and the way to those that Rust hits.
 */

#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * ccp_trace_fallback() - a flow went to the fallback program
 * @flow: its id
 * @agent: the agent in charge until now
 * @program: the program that ran until now
 * @reason: an enum ccp_fallback_reason
 */
void ccp_trace_fallback(u64 flow, u32 agent, u32 program, u32 reason)
{
	trace_ccp_fallback(flow, agent, program, reason);
}

/**
 * ccp_trace_command() - a command that came otherwise than by genl ended
 * @command: the one of family "ccp" that does the same
 * @err: its outcome
 * @port: the agent's netlink port, or 0
 */
void ccp_trace_command(u8 command, int err, u32 port)
{
	trace_ccp_command(command, err, port);
}
