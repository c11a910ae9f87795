/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ccp

#if !defined(_CCP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _CCP_TRACE_H

#include <linux/tracepoint.h>

#include "shim.h"

#define ccp_show_abort(abort)			\
	__print_symbolic(abort,			\
		{ 0, "ok" },			\
		{ 1, "add-overflow" },		\
		{ 2, "sub-underflow" },		\
		{ 3, "mul-overflow" },		\
		{ 4, "divide-by-zero" })

#define ccp_show_reason(reason)						\
	__print_symbolic(reason,					\
		{ CCP_FALLBACK_REASON_NONE, "none" },			\
		{ CCP_FALLBACK_REASON_NO_AGENT, "no-agent" },		\
		{ CCP_FALLBACK_REASON_AGENT_GONE, "agent-gone" },	\
		{ CCP_FALLBACK_REASON_AGENT_SILENT, "agent-silent" },	\
		{ CCP_FALLBACK_REASON_PROGRAM_ABORTED, "program-aborted" })

#define ccp_show_command(command)					\
	__print_symbolic(command,					\
		{ CCP_CMD_AGENT_ATTACH, "agent-attach" },		\
		{ CCP_CMD_AGENT_DETACH, "agent-detach" },		\
		{ CCP_CMD_AGENT_HEARTBEAT, "agent-heartbeat" },		\
		{ CCP_CMD_PROGRAM_INSTALL, "program-install" },		\
		{ CCP_CMD_PROGRAM_REMOVE, "program-remove" },		\
		{ CCP_CMD_PROGRAM_GET, "program-get" },			\
		{ CCP_CMD_FALLBACK_SET, "fallback-set" },		\
		{ CCP_CMD_FLOW_GET, "flow-get" },			\
		{ CCP_CMD_FLOW_SET_PROGRAM, "flow-set-program" },	\
		{ CCP_CMD_FLOW_UPDATE, "flow-update" },			\
		{ CCP_CMD_STATS_GET, "stats-get" })

/* A program ran; cwnd (packets) and rate (bytes/s) are those now in force. */
TRACE_EVENT(ccp_invoke,
	    TP_PROTO(u64 flow, bool timeout, const struct ccp_verdict *verdict,
		     u32 cwnd, unsigned long rate),

	    TP_ARGS(flow, timeout, verdict, cwnd, rate),

	    TP_STRUCT__entry(__field(u64, flow)
			     __field(u64, rate)
			     __field(u32, program)
			     __field(u32, cwnd)
			     __field(u8, timeout)
			     __field(u8, abort)
			     __field(u8, reported)),

	    TP_fast_assign(__entry->flow = flow;
			   __entry->rate = rate;
			   __entry->program = verdict->program;
			   __entry->cwnd = cwnd;
			   __entry->timeout = timeout;
			   __entry->abort = verdict->abort;
			   __entry->reported = verdict->reported;),

	    TP_printk("flow=%llu program=%u on=%s outcome=%s cwnd=%u rate=%llu report=%u",
		      __entry->flow, __entry->program,
		      __entry->timeout ? "timeout" : "ack",
		      ccp_show_abort(__entry->abort), __entry->cwnd, __entry->rate,
		      __entry->reported));

/* A flow went from an agent's program to the fallback program. */
TRACE_EVENT(ccp_fallback,
	    TP_PROTO(u64 flow, u32 agent, u32 program, u32 reason),

	    TP_ARGS(flow, agent, program, reason),

	    TP_STRUCT__entry(__field(u64, flow)
			     __field(u32, agent)
			     __field(u32, program)
			     __field(u32, reason)),

	    TP_fast_assign(__entry->flow = flow;
			   __entry->agent = agent;
			   __entry->program = program;
			   __entry->reason = reason;),

	    TP_printk("flow=%llu agent=%u program=%u reason=%s",
		      __entry->flow, __entry->agent, __entry->program,
		      ccp_show_reason(__entry->reason)));

/* A command of genl family "ccp", or its like, ended; dumps are not traced. */
TRACE_EVENT(ccp_command,
	    TP_PROTO(u8 command, int err, u32 port),

	    TP_ARGS(command, err, port),

	    TP_STRUCT__entry(__field(u32, port)
			     __field(int, err)
			     __field(u8, command)),

	    TP_fast_assign(__entry->port = port;
			   __entry->err = err;
			   __entry->command = command;),

	    TP_printk("command=%s port=%u err=%d",
		      ccp_show_command(__entry->command), __entry->port,
		      __entry->err));

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
