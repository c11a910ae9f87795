// SPDX-License-Identifier: GPL-2.0
/*
 * Objects as netlink attributes.
 */

#include <linux/sock_diag.h>
#include <net/netlink.h>
#include <net/tcp.h>
#ifdef CCP_MPTCP
#include <net/mptcp_pm.h>
#endif

#include "cong.h"
#include "messages.h"
#include "net.h"

/* All return 0 or -EMSGSIZE. */

int ccp_put_agent(struct sk_buff *skb, const struct ccp_agent_info *info)
{
	u32 at = 0;

	if (nla_put_u32(skb, CCP_A_AGENT_ID, info->id) ||
	    nla_put_string(skb, CCP_A_AGENT_NAME, info->name) ||
	    nla_put_u32(skb, CCP_A_AGENT_PORT_ID, info->port) ||
	    nla_put_u32(skb, CCP_A_AGENT_TIMEOUT_MS,
			ccp_limit(CCP_LIMIT_AGENT_TIMEOUT_MS)) ||
	    nla_put_u32(skb, CCP_A_AGENT_FLOWS, info->flows) ||
	    nla_put_u32(skb, CCP_A_AGENT_PROGRAMS, info->programs) ||
	    (info->silent && nla_put_flag(skb, CCP_A_AGENT_SILENT)))
		return -EMSGSIZE;

	while (at < info->algorithms_len) {
		const char *algorithm = info->algorithms + at;

		if (nla_put_string(skb, CCP_A_AGENT_ALGORITHM, algorithm))
			return -EMSGSIZE;
		at += strnlen(algorithm, info->algorithms_len - at) + 1;
	}
	return 0;
}

int ccp_put_program(struct sk_buff *skb, const struct ccp_program_info *info)
{
	if (nla_put_u32(skb, CCP_A_PROGRAM_ID, info->id) ||
	    nla_put_u32(skb, CCP_A_PROGRAM_AGENT_ID, info->agent) ||
	    nla_put_string(skb, CCP_A_PROGRAM_NAME, info->name) ||
	    nla_put_u32(skb, CCP_A_PROGRAM_COST, info->cost) ||
	    nla_put_u32(skb, CCP_A_PROGRAM_REPORT_FIELDS, info->report_fields) ||
	    nla_put_u32(skb, CCP_A_PROGRAM_REGISTERS, info->registers) ||
	    nla_put_u32(skb, CCP_A_PROGRAM_BYTES, info->bytes) ||
	    nla_put_u32(skb, CCP_A_PROGRAM_FLOWS, info->flows) ||
	    (info->fallback && nla_put_flag(skb, CCP_A_PROGRAM_FALLBACK)))
		return -EMSGSIZE;
	return 0;
}

static u16 ccp_family(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr))
		return AF_INET6;
#endif
	return AF_INET;
}

static int ccp_put_addresses(struct sk_buff *skb, const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (ccp_family(sk) == AF_INET6)
		return nla_put_in6_addr(skb, CCP_A_FLOW_LOCAL_ADDR,
					&sk->sk_v6_rcv_saddr) ?:
		       nla_put_in6_addr(skb, CCP_A_FLOW_REMOTE_ADDR,
					&sk->sk_v6_daddr);
#endif
	return nla_put_in_addr(skb, CCP_A_FLOW_LOCAL_ADDR, sk->sk_rcv_saddr) ?:
	       nla_put_in_addr(skb, CCP_A_FLOW_REMOTE_ADDR, sk->sk_daddr);
}

static u64 ccp_cookie(struct sock *sk)
{
	u32 parts[2];

	sock_diag_save_cookie(sk, parts);
	return (u64)parts[1] << 32 | parts[0];
}

/**
 * ccp_put_flow_identity() - which flow it is, and who is in charge
 * @skb: the message
 * @sk: the flow's socket
 * @info: from ccp_rs_flow_info()
 */
int ccp_put_flow_identity(struct sk_buff *skb, struct sock *sk,
			  const struct ccp_flow_info *info)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (nla_put_uint(skb, CCP_A_FLOW_ID, info->id) ||
	    (info->agent &&
	     nla_put_u32(skb, CCP_A_FLOW_AGENT_ID, info->agent)) ||
	    nla_put_u32(skb, CCP_A_FLOW_PROGRAM_ID, info->program) ||
	    nla_put_u32(skb, CCP_A_FLOW_FALLBACK_REASON, info->reason) ||
	    nla_put_string(skb, CCP_A_FLOW_ALGORITHM, ccp_cong_name(sk)) ||
	    nla_put_uint(skb, CCP_A_FLOW_COOKIE, ccp_cookie(sk)) ||
	    nla_put_u16(skb, CCP_A_FLOW_FAMILY, ccp_family(sk)))
		return -EMSGSIZE;
	/* Disconnecting has cleared them. */
	if (!inet->inet_dport)
		return 0;
	if (ccp_put_addresses(skb, sk) ||
	    nla_put_u16(skb, CCP_A_FLOW_LOCAL_PORT, ntohs(inet->inet_sport)) ||
	    nla_put_u16(skb, CCP_A_FLOW_REMOTE_PORT, ntohs(inet->inet_dport)))
		return -EMSGSIZE;
	return 0;
}

/**
 * ccp_put_flow_mptcp() - which subflow of which MPTCP connection it is, if any
 * @skb: the message
 * @sk: the flow's socket, locked
 */
int ccp_put_flow_mptcp(struct sk_buff *skb, const struct sock *sk)
{
#ifdef CCP_MPTCP
	u32 token, id;

	if (mptcp_pm_subflow_of(sk, &token, &id))
		return nla_put_u32(skb, CCP_A_FLOW_MPTCP_TOKEN, token) ?:
		       nla_put_u32(skb, CCP_A_FLOW_MPTCP_SUBFLOW, id);
#endif
	return 0;
}

/**
 * ccp_put_flow_totals() - what a flow has done
 * @skb: the message
 * @sk: the flow's socket, locked
 * @info: from ccp_rs_flow_info()
 */
int ccp_put_flow_totals(struct sk_buff *skb, struct sock *sk,
			const struct ccp_flow_info *info)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	/* Disconnecting has cleared the first four. */
	if (inet_sk(sk)->inet_dport &&
	    (nla_put_u32(skb, CCP_A_FLOW_DELIVERED, tp->delivered) ||
	     nla_put_u32(skb, CCP_A_FLOW_LOST, tp->lost) ||
	     nla_put_u32(skb, CCP_A_FLOW_RETRANSMITS, tp->total_retrans) ||
	     nla_put_uint(skb, CCP_A_FLOW_BYTES_ACKED, tp->bytes_acked)))
		return -EMSGSIZE;
	if (nla_put_uint(skb, CCP_A_FLOW_REPORTS, info->reports) ||
	    nla_put_uint(skb, CCP_A_FLOW_REPORT_DROPS, info->report_drops) ||
	    nla_put_uint(skb, CCP_A_FLOW_INVOCATIONS, info->invocations) ||
	    nla_put_uint(skb, CCP_A_FLOW_ABORTS, info->aborts) ||
	    nla_put_uint(skb, CCP_A_FLOW_FALLBACKS, info->fallbacks) ||
	    nla_put_uint(skb, CCP_A_FLOW_AGE_MS, info->age_ms))
		return -EMSGSIZE;
	return 0;
}

/**
 * ccp_put_flow() - everything about a flow
 * @skb: the message
 * @sk: the flow's socket, locked
 * @info: from ccp_rs_flow_info()
 */
int ccp_put_flow(struct sk_buff *skb, struct sock *sk,
		 const struct ccp_flow_info *info)
{
	unsigned long rate = READ_ONCE(sk->sk_pacing_rate);
	const struct tcp_sock *tp = tcp_sk(sk);

	if (ccp_put_flow_identity(skb, sk, info) ||
	    nla_put_u32(skb, CCP_A_FLOW_MSS, tp->mss_cache) ||
	    nla_put_u32(skb, CCP_A_FLOW_INIT_CWND, info->init_cwnd) ||
	    nla_put_u32(skb, CCP_A_FLOW_CWND, tcp_snd_cwnd(tp)) ||
	    nla_put_u32(skb, CCP_A_FLOW_SSTHRESH, tp->snd_ssthresh) ||
	    nla_put_uint(skb, CCP_A_FLOW_RATE, rate == ~0UL ? U64_MAX : rate) ||
	    nla_put_u32(skb, CCP_A_FLOW_SRTT_US, tp->srtt_us >> 3) ||
	    nla_put_u32(skb, CCP_A_FLOW_MIN_RTT_US, tcp_min_rtt(tp)) ||
	    nla_put_u32(skb, CCP_A_FLOW_IN_FLIGHT, tcp_packets_in_flight(tp)) ||
	    ccp_put_flow_mptcp(skb, sk))
		return -EMSGSIZE;
	return ccp_put_flow_totals(skb, sk, info);
}

int ccp_put_stats(struct sk_buff *skb, const struct ccp_net *net)
{
	static const struct {
		int attr;
		enum ccp_counter counter;
	} counters[] = {
		{ CCP_A_STATS_FLOWS_CREATED, CCP_COUNT_FLOWS_CREATED },
		{ CCP_A_STATS_FLOWS_REFUSED, CCP_COUNT_FLOWS_REFUSED },
		{ CCP_A_STATS_INVOCATIONS, CCP_COUNT_INVOCATIONS },
		{ CCP_A_STATS_ABORTS, CCP_COUNT_ABORTS },
		{ CCP_A_STATS_REPORTS, CCP_COUNT_REPORTS },
		{ CCP_A_STATS_REPORT_DROPS, CCP_COUNT_REPORT_DROPS },
		{ CCP_A_STATS_EVENTS_DROPPED, CCP_COUNT_EVENTS_DROPPED },
		{ CCP_A_STATS_FALLBACKS, CCP_COUNT_FALLBACKS },
		{ CCP_A_STATS_COMMANDS, CCP_COUNT_COMMANDS },
		{ CCP_A_STATS_COMMAND_ERRORS, CCP_COUNT_COMMAND_ERRORS },
	};
	size_t i;

	if (nla_put_uint(skb, CCP_A_STATS_FLOWS,
			 ccp_net_gauge(net, CCP_GAUGE_FLOWS)) ||
	    nla_put_u32(skb, CCP_A_STATS_AGENTS,
			ccp_net_gauge(net, CCP_GAUGE_AGENTS)) ||
	    nla_put_u32(skb, CCP_A_STATS_PROGRAMS,
			ccp_net_gauge(net, CCP_GAUGE_PROGRAMS)))
		return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		if (nla_put_uint(skb, counters[i].attr,
				 ccp_net_counter(net, counters[i].counter)))
			return -EMSGSIZE;
	return 0;
}
