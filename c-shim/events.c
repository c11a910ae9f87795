// SPDX-License-Identifier: GPL-2.0
/*
 * Events: to the agent concerned and to the listeners of the event group, in
 * the flow's network namespace. They leave from the ACK path, under the
 * socket's lock, so nothing here sleeps; without anybody to hear them they
 * aren't built.
 */

#include <net/genetlink.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "ccp_nl_gen.h"
#include "messages.h"

/* More than the biggest of the fixed-size attributes of an event. */
#define CCP_EVENT_BYTES		512

struct ccp_event {
	struct sk_buff *skb;
	void *header;
};

static bool ccp_event_begin(struct ccp_event *event, u8 cmd, size_t bytes)
{
	event->skb = genlmsg_new(bytes, GFP_ATOMIC | __GFP_NOWARN);
	if (!event->skb)
		return false;
	event->header = genlmsg_put(event->skb, 0, 0, &ccp_nl_family, 0, cmd);
	return event->header;
}

static bool ccp_event_wanted(struct net *net, u32 port, bool *listeners)
{
	*listeners = net->genl_sock &&
		     genl_has_listeners(&ccp_nl_family, net, CCP_NLGRP_EVENTS);
	return net->genl_sock && (port || *listeners);
}

/* Return: 0, or an error when the agent at @port did not get it. */
static int ccp_event_send(struct net *net, struct ccp_event *event, u32 port,
			  bool listeners)
{
	u32 group = ccp_nl_family.mcgrp_offset + CCP_NLGRP_EVENTS;

	genlmsg_end(event->skb, event->header);
	if (listeners) {
		if (port)
			skb_get(event->skb);
		/* A listener without room sees ENOBUFS; we don't. */
		nlmsg_multicast(net->genl_sock, event->skb, port, group,
				GFP_ATOMIC);
	}
	return port ? nlmsg_unicast(net->genl_sock, event->skb, port) : 0;
}

/**
 * ccp_event_report() - send a report
 * @sk: the flow's socket, locked
 * @port: netlink port of its agent, 0 without
 * @report: the report
 *
 * Return: 0, or a negative errno when it did not reach the agent.
 */
int ccp_event_report(struct sock *sk, u32 port, const struct ccp_report *report)
{
	size_t bytes = report->nfields * sizeof(u64);
	struct net *net = sock_net(sk);
	struct ccp_event event;
	bool listeners;

	if (!ccp_event_wanted(net, port, &listeners))
		return 0;
	if (!ccp_event_begin(&event, CCP_CMD_REPORT, CCP_EVENT_BYTES + bytes))
		goto drop;
	if (nla_put_uint(event.skb, CCP_A_REPORT_FLOW_ID, report->flow) ||
	    nla_put_u32(event.skb, CCP_A_REPORT_PROGRAM_ID, report->program) ||
	    nla_put_uint(event.skb, CCP_A_REPORT_SEQ, report->seq) ||
	    nla_put_uint(event.skb, CCP_A_REPORT_TIME_US, report->time_us) ||
	    nla_put(event.skb, CCP_A_REPORT_FIELDS, bytes, report->fields) ||
	    nla_put_uint(event.skb, CCP_A_REPORT_CWND, report->cwnd) ||
	    nla_put_uint(event.skb, CCP_A_REPORT_RATE, report->rate))
		goto drop;
	return ccp_event_send(net, &event, port, listeners);

drop:
	nlmsg_free(event.skb);
	return -ENOMEM;
}

static int ccp_event_put(struct sk_buff *skb, struct sock *sk, u8 cmd,
			 const struct ccp_flow_info *info, bool adopted)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	switch (cmd) {
	case CCP_CMD_FLOW_CREATED:
		return ccp_put_flow_identity(skb, sk, info) ?:
		       nla_put_u32(skb, CCP_A_FLOW_MSS, tp->mss_cache) ?:
		       nla_put_u32(skb, CCP_A_FLOW_INIT_CWND, info->init_cwnd) ?:
		       nla_put_u32(skb, CCP_A_FLOW_CWND, tcp_snd_cwnd(tp)) ?:
		       ccp_put_flow_mptcp(skb, sk) ?:
		       (adopted ? nla_put_flag(skb, CCP_A_FLOW_ADOPTED) : 0);
	case CCP_CMD_FLOW_CLOSED:
		return ccp_put_flow_identity(skb, sk, info) ?:
		       ccp_put_flow_totals(skb, sk, info);
	default:
		return nla_put_uint(skb, CCP_A_FLOW_ID, info->id) ?:
		       (info->agent ? nla_put_u32(skb, CCP_A_FLOW_AGENT_ID,
						  info->agent) : 0) ?:
		       nla_put_u32(skb, CCP_A_FLOW_PROGRAM_ID, info->program) ?:
		       nla_put_u32(skb, CCP_A_FLOW_FALLBACK_REASON, info->reason);
	}
}

/**
 * ccp_event_flow() - tell of a flow's creation, end or fall-back
 * @sk: the flow's socket, locked
 * @port: netlink port of its agent, 0 without
 * @cmd: CCP_CMD_FLOW_CREATED, _CLOSED or _FALLBACK
 * @info: Rust's half of the facts
 * @adopted: the flow is older than the agent's claim on it
 *
 * Return: 0, or a negative errno when it did not reach the agent.
 */
int ccp_event_flow(struct sock *sk, u32 port, u8 cmd,
		   const struct ccp_flow_info *info, u8 adopted)
{
	struct net *net = sock_net(sk);
	struct ccp_event event;
	bool listeners;

	if (!ccp_event_wanted(net, port, &listeners))
		return 0;
	if (!ccp_event_begin(&event, cmd, CCP_EVENT_BYTES))
		goto drop;
	if (ccp_event_put(event.skb, sk, cmd, info, adopted))
		goto drop;
	return ccp_event_send(net, &event, port, listeners);

drop:
	nlmsg_free(event.skb);
	return -ENOMEM;
}
