// SPDX-License-Identifier: GPL-2.0
/*
 * Events of genl family "mptcp", to the listeners of the connection's network
 * namespace that want them. They leave from callbacks that must not sleep;
 * without a listener none is built, but all are counted.
 */

#include <net/genetlink.h>
#include <net/sock.h>

#include "mptcp_netlink.h"
#include "net.h"

/* More than the attributes of any event. */
#define CCP_MPTCP_EVENT_BYTES	256

/*
 * Whether anybody listens for events, in whatever network namespace: netlink
 * keeps one bit for all of them.
 */
static bool ccp_mptcp_listened_anywhere(struct net *net)
{
	return net->genl_sock &&
	       genl_has_listeners(&ccp_mptcp_family, net, MPTCP_NLGRP_MPTCP_EVENTS);
}

/* A filter that lets nothing through and sees whom it would go to. */
static int ccp_mptcp_see_listener(struct sock *socket, struct sk_buff *skb, void *seen)
{
	*(bool *)seen = true;
	return 1;
}

/**
 * ccp_mptcp_listened() - whether anybody listens for events of a namespace
 * @net: the network namespace
 *
 * Any context. Sends nothing to everybody, and looks who would get it; false
 * without the memory for that.
 */
bool ccp_mptcp_listened(struct net *net)
{
	struct sk_buff *nothing;
	bool seen = false;

	if (!ccp_mptcp_listened_anywhere(net))
		return false;
	nothing = genlmsg_new(0, GFP_ATOMIC | __GFP_NOWARN);
	if (nothing)
		genlmsg_multicast_netns_filtered(&ccp_mptcp_family, net, nothing, 0,
						 MPTCP_NLGRP_MPTCP_EVENTS, GFP_ATOMIC,
						 ccp_mptcp_see_listener, &seen);
	return seen;
}

/**
 * ccp_mptcp_put_u64() - a number, without padding before it
 * @skb: the message
 * @attr: the attribute
 * @value: the number
 *
 * Clients of the out-of-tree kernel would stumble over an attribute 0.
 *
 * Return: 0 or -EMSGSIZE.
 */
int ccp_mptcp_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put(skb, attr, sizeof(value), &value);
}

static int ccp_mptcp_put_addr(struct sk_buff *skb, int attr4, int attr6,
			      const struct mptcp_pm_end *end)
{
	if (end->family == AF_INET)
		return nla_put_in_addr(skb, attr4, end->addr4);
	return nla_put_in6_addr(skb, attr6, &end->addr6);
}

/**
 * ccp_mptcp_put_saddr() - a local address
 * @skb: the message
 * @end: the address
 *
 * Return: 0 or -EMSGSIZE.
 */
int ccp_mptcp_put_saddr(struct sk_buff *skb, const struct mptcp_pm_end *end)
{
	return ccp_mptcp_put_addr(skb, CCP_MPTCP_ATTR_SADDR4,
				  CCP_MPTCP_ATTR_SADDR6, end);
}

/**
 * ccp_mptcp_put_daddr() - an address of the peer
 * @skb: the message
 * @end: the address
 *
 * Return: 0 or -EMSGSIZE.
 */
int ccp_mptcp_put_daddr(struct sk_buff *skb, const struct mptcp_pm_end *end)
{
	return ccp_mptcp_put_addr(skb, CCP_MPTCP_ATTR_DADDR4,
				  CCP_MPTCP_ATTR_DADDR6, end);
}

/**
 * ccp_mptcp_put_subflow() - the token and the subflow
 * @skb: the message
 * @subflow: an event or an answer with CCP_MPTCP_HAS_SUBFLOW
 *
 * In the order of the out-of-tree kernel, then what is new.
 *
 * Return: 0 or -EMSGSIZE.
 */
int ccp_mptcp_put_subflow(struct sk_buff *skb, const struct ccp_mptcp_event *subflow)
{
	if (nla_put_u32(skb, CCP_MPTCP_ATTR_TOKEN, subflow->token) ||
	    nla_put_u16(skb, CCP_MPTCP_ATTR_FAMILY, subflow->local.family) ||
	    nla_put_u8(skb, CCP_MPTCP_ATTR_LOC_ID, subflow->local.id) ||
	    nla_put_u8(skb, CCP_MPTCP_ATTR_REM_ID, subflow->remote.id) ||
	    ccp_mptcp_put_saddr(skb, &subflow->local) ||
	    ccp_mptcp_put_daddr(skb, &subflow->remote) ||
	    nla_put_u16(skb, CCP_MPTCP_ATTR_SPORT, subflow->sport) ||
	    nla_put_u16(skb, CCP_MPTCP_ATTR_DPORT, subflow->dport) ||
	    nla_put_u8(skb, CCP_MPTCP_ATTR_BACKUP, subflow->backup) ||
	    nla_put_s32(skb, CCP_MPTCP_ATTR_IF_IDX, subflow->ifindex) ||
	    (subflow->has & CCP_MPTCP_HAS_ERROR &&
	     nla_put_u8(skb, CCP_MPTCP_ATTR_ERROR, subflow->error)) ||
	    nla_put_u32(skb, CCP_MPTCP_ATTR_SUBFLOW_ID, subflow->subflow_id))
		return -EMSGSIZE;
	return 0;
}

/**
 * ccp_mptcp_put_side() - which side we are, and what the peer doesn't want
 * @skb: the message
 * @event: an event or an answer
 *
 * Return: 0 or -EMSGSIZE.
 */
int ccp_mptcp_put_side(struct sk_buff *skb, const struct ccp_mptcp_event *event)
{
	return nla_put_u8(skb, CCP_MPTCP_ATTR_SERVER_SIDE, event->server_side) ?:
	       nla_put_u8(skb, CCP_MPTCP_ATTR_DENY_JOIN_ID0, event->deny_join_id0);
}

static int ccp_mptcp_put_event(struct sk_buff *skb,
			       const struct ccp_mptcp_event *event)
{
	u32 has = event->has;

	if (has & CCP_MPTCP_HAS_SUBFLOW) {
		if (ccp_mptcp_put_subflow(skb, event))
			return -EMSGSIZE;
	} else if (nla_put_u32(skb, CCP_MPTCP_ATTR_TOKEN, event->token)) {
		return -EMSGSIZE;
	}
	if (has & CCP_MPTCP_HAS_SIDE && ccp_mptcp_put_side(skb, event))
		return -EMSGSIZE;
	if (has & CCP_MPTCP_HAS_RESET &&
	    (nla_put_u32(skb, CCP_MPTCP_ATTR_RESET_REASON, event->reset_reason) ||
	     nla_put_u32(skb, CCP_MPTCP_ATTR_RESET_FLAGS, event->reset_flags)))
		return -EMSGSIZE;
	if (has & (CCP_MPTCP_HAS_ADDRESS | CCP_MPTCP_HAS_REMOTE_ID) &&
	    nla_put_u8(skb, CCP_MPTCP_ATTR_REM_ID, event->remote.id))
		return -EMSGSIZE;
	if (has & CCP_MPTCP_HAS_ADDRESS &&
	    (nla_put_u16(skb, CCP_MPTCP_ATTR_FAMILY, event->remote.family) ||
	     ccp_mptcp_put_daddr(skb, &event->remote) ||
	     nla_put_u16(skb, CCP_MPTCP_ATTR_DPORT, event->dport)))
		return -EMSGSIZE;
	return 0;
}

static struct sk_buff *ccp_mptcp_build(const struct ccp_mptcp_event *event,
				       u64 number, u64 drops)
{
	struct sk_buff *skb;
	void *header;

	skb = genlmsg_new(CCP_MPTCP_EVENT_BYTES, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	header = genlmsg_put(skb, 0, 0, &ccp_mptcp_family, 0, event->cmd);
	if (!header || ccp_mptcp_put_event(skb, event) ||
	    ccp_mptcp_put_u64(skb, CCP_MPTCP_ATTR_SEQ, number) ||
	    ccp_mptcp_put_u64(skb, CCP_MPTCP_ATTR_DROPS, drops)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, header);
	return skb;
}

/* Return: whether to leave the event away from a socket. */
static int ccp_mptcp_unwanted(struct sock *socket, struct sk_buff *skb, void *data)
{
	return !(ccp_mptcp_wanted(socket) & *(const u16 *)data);
}

static void ccp_mptcp_multicast(struct ccp_conn *conn,
				const struct ccp_mptcp_event *event, u64 number)
{
	struct net *net = conn->net;
	u16 bit = event->bit;
	struct sk_buff *skb;

	skb = ccp_mptcp_build(event, number, ccp_rs_mptcp_drops(conn->state));
	if (!skb) {
		ccp_rs_mptcp_dropped(conn->state);
		genl_set_err(&ccp_mptcp_family, net, 0, MPTCP_NLGRP_MPTCP_EVENTS,
			     -ENOBUFS);
		return;
	}
	/* A listener without room sees ENOBUFS; we don't. */
	genlmsg_multicast_netns_filtered(&ccp_mptcp_family, net, skb, 0,
					 MPTCP_NLGRP_MPTCP_EVENTS, GFP_ATOMIC,
					 ccp_mptcp_unwanted, &bit);
}

/**
 * ccp_mptcp_send() - send an event
 * @conn: its connection, locked: so the events of a connection keep their order
 * @event: the event
 */
void ccp_mptcp_send(struct ccp_conn *conn, const struct ccp_mptcp_event *event)
{
	struct ccp_net *shim = conn->shim;
	u64 number;

	ccp_net_inc(shim, CCP_COUNT_MPTCP_EVENTS);
	/* BH are off, as the connection is locked. */
	spin_lock(&shim->events_lock);
	number = ccp_rs_mptcp_number(conn->state, event->cmd);
	if (ccp_mptcp_listened_anywhere(conn->net))
		ccp_mptcp_multicast(conn, event, number);
	spin_unlock(&shim->events_lock);
}
