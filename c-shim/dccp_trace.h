/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ccp

#if !defined(_CCP_DCCP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _CCP_DCCP_TRACE_H

#include <linux/tracepoint.h>
#include <net/inet_sock.h>

#include "dccp.h"

/*
 * A sender of CCID 5 sent a packet. The seven after size are those of CCID 3:
 * bytes, us, 10^-6, bytes/s, us. n and j are in 2^-16, interval is 1/p in 2^-16.
 */
TRACE_EVENT(ccp_dccp_sent,
	    TP_PROTO(const struct ccp_dccp_half *half, u32 size),

	    TP_ARGS(half, size),

	    TP_STRUCT__entry(__field(u64, x_recv)
			     __field(u64, x)
			     __field(u64, interval)
			     __field(u32, half)
			     __field(u32, size)
			     __field(u32, s)
			     __field(u32, rtt)
			     __field(u32, p)
			     __field(u32, x_calc)
			     __field(u32, ipi)
			     __field(u32, n)
			     __field(u32, j)
			     __field(u16, sport)
			     __field(u16, dport)),

	    TP_fast_assign(struct ccp_dccp_tx_info info;

			   ccp_dccp_tx_info(half, &info);
			   __entry->half = half->id;
			   __entry->sport = ntohs(inet_sk(half->sk)->inet_sport);
			   __entry->dport = ntohs(inet_sk(half->sk)->inet_dport);
			   __entry->size = size;
			   __entry->s = info.size;
			   __entry->rtt = info.rtt;
			   __entry->p = info.p;
			   __entry->x_calc = info.x_calc;
			   __entry->x_recv = info.x_recv >> 6;
			   __entry->x = info.x >> 6;
			   __entry->ipi = info.ipi;
			   __entry->n = info.flows;
			   __entry->j = info.lost;
			   __entry->interval = info.interval;),

	    TP_printk("half=%u sport=%u dport=%u size=%u s=%u rtt=%u p=%u x_calc=%u x_recv=%llu x=%llu t_ipi=%u n=%u j=%u interval=%llu",
		      __entry->half, __entry->sport, __entry->dport,
		      __entry->size, __entry->s, __entry->rtt, __entry->p,
		      __entry->x_calc, __entry->x_recv, __entry->x,
		      __entry->ipi, __entry->n, __entry->j, __entry->interval));

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE dccp_trace
#include <trace/define_trace.h>
