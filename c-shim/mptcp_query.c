// SPDX-License-Identifier: GPL-2.0
/*
 * Queries of genl family "mptcp", for those who missed events: connections,
 * their subflows, numbers of events.
 *
 * A list of connections goes by token and remembers the next one, so it
 * neither restarts nor repeats, whatever comes and goes meanwhile.
 */

#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "mptcp_netlink.h"
#include "net.h"
#include "netlink.h"

/* A connection with as many local addresses as there are ids. */
#define CCP_MPTCP_CONN_BYTES	(1024 + 256 * 80)
#define CCP_MPTCP_COUNTER_BYTES	512

/* The first subflow, 255 more, and such as are being set up. */
#define CCP_MPTCP_SUBFLOWS_MAX	260

struct ccp_mptcp_dump {
	u64 token;		/* of the connection to go on with */
	u32 local;		/* its address to go on with */
	u32 subflow;		/* id of the subflow to go on with */
};

static int ccp_mptcp_put_local(struct sk_buff *skb, const struct ccp_mptcp_local *local)
{
	struct nlattr *nest = nla_nest_start(skb, CCP_MPTCP_ATTR_LOCAL);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u8(skb, CCP_MPTCP_ATTR_LOC_ID, local->end.id) ||
	    nla_put_u16(skb, CCP_MPTCP_ATTR_FAMILY, local->end.family) ||
	    ccp_mptcp_put_saddr(skb, &local->end) ||
	    (local->port && nla_put_u16(skb, CCP_MPTCP_ATTR_SPORT, local->port)) ||
	    nla_put_u8(skb, CCP_MPTCP_ATTR_BACKUP, local->backup) ||
	    nla_put_s32(skb, CCP_MPTCP_ATTR_IF_IDX, local->ifindex) ||
	    nla_put_u8(skb, CCP_MPTCP_ATTR_ANNOUNCED, local->announced) ||
	    nla_put_u32(skb, CCP_MPTCP_ATTR_REFS, local->refs)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* All of them: there are few. */
static int ccp_mptcp_put_remotes(struct sk_buff *skb, struct ccp_path *path)
{
	struct mptcp_pm_end remote;
	struct nlattr *nest;
	u32 i = 0;

	while (ccp_rs_path_remote(path, i++, &remote)) {
		nest = nla_nest_start(skb, CCP_MPTCP_ATTR_REMOTE);
		if (!nest || nla_put_u8(skb, CCP_MPTCP_ATTR_REM_ID, remote.id) ||
		    nla_put_u16(skb, CCP_MPTCP_ATTR_FAMILY, remote.family) ||
		    ccp_mptcp_put_daddr(skb, &remote) ||
		    nla_put_u16(skb, CCP_MPTCP_ATTR_DPORT, ntohs(remote.port)))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

/*
 * Puts a connection, with its local addresses from *@from on. Return: 0,
 * -ENOENT when it is closed, or -EMSGSIZE; then *@from says how far it got.
 */
static int ccp_mptcp_put_conn(struct sk_buff *skb, struct ccp_conn *conn, u32 *from)
{
	struct ccp_mptcp_conn_info info;
	struct ccp_mptcp_local local;
	struct ccp_path *path;
	int err;

	path = ccp_conn_lock(conn);
	err = ccp_rs_path_info(path, &info) ? 0 : -ENOENT;
	err = err ?: ccp_mptcp_put_subflow(skb, &info.first) ?:
	      ccp_mptcp_put_side(skb, &info.first) ?:
	      nla_put_u8(skb, CCP_MPTCP_ATTR_STATE, info.state) ?:
	      nla_put_u32(skb, CCP_MPTCP_ATTR_EXTRA_SUBFLOWS, info.extra_subflows) ?:
	      (*from ? 0 : ccp_mptcp_put_remotes(skb, path));
	while (!err && ccp_rs_path_local(path, *from, &local)) {
		err = ccp_mptcp_put_local(skb, &local);
		if (!err)
			++*from;
	}
	ccp_conn_unlock(conn);
	return err;
}

int mptcp_nl_get_conn_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_state *state = ccp_net_state(genl_info_net(info));
	struct ccp_error error = {};
	struct ccp_conn *conn;
	struct sk_buff *reply;
	void *header;
	u32 from = 0;
	u32 token;
	int err;

	if (!state)
		return -ENODEV;
	err = ccp_nl_missing(info, CCP_MPTCP_ATTR_TOKEN, &error, "token");
	if (err)
		return ccp_nl_explain(skb, info, err, &error);
	token = nla_get_u32(info->attrs[CCP_MPTCP_ATTR_TOKEN]);
	reply = genlmsg_new(CCP_MPTCP_CONN_BYTES, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	header = genlmsg_put_reply(reply, info, &ccp_mptcp_family, 0,
				   CCP_MPTCP_CMD_GET_CONN);
	conn = ccp_conn_find(ccp_rs_net_shim(state), token);
	err = conn ? ccp_mptcp_put_conn(reply, conn, &from) : -ENOENT;
	if (conn)
		ccp_conn_put(conn);
	if (err == -ENOENT) {
		ccp_rs_mptcp_unknown(token, &error);
		err = -EINVAL;
	}
	err = ccp_nl_send(info, reply, header, err);
	return ccp_nl_explain(skb, info, err, &error);
}

static void *ccp_mptcp_dump_begin(struct sk_buff *skb, struct netlink_callback *cb,
				  u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &ccp_mptcp_family, NLM_F_MULTI, cmd);
}

/* Return: whether the connection needs no further message. */
static bool ccp_mptcp_dump_conn(struct sk_buff *skb, struct netlink_callback *cb,
				struct ccp_conn *conn, u32 *local)
{
	u32 from = *local;
	void *header;
	int err;

	header = ccp_mptcp_dump_begin(skb, cb, CCP_MPTCP_CMD_GET_CONN);
	if (!header)
		return false;
	err = ccp_mptcp_put_conn(skb, conn, local);
	if (err && *local == from)
		genlmsg_cancel(skb, header);
	else
		genlmsg_end(skb, header);
	return !err || err == -ENOENT;
}

int mptcp_nl_get_conn_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ccp_state *state = ccp_net_state(sock_net(skb->sk));
	struct ccp_mptcp_dump *dump = (struct ccp_mptcp_dump *)cb->ctx;
	struct ccp_conn *conn;
	bool complete = true;

	BUILD_BUG_ON(sizeof(*dump) > sizeof(cb->ctx));
	while (state && complete) {
		conn = ccp_conn_next(ccp_rs_net_shim(state), dump->token);
		if (!conn)
			break;
		if (conn->token != dump->token)
			dump->local = 0;
		dump->token = conn->token;
		complete = ccp_mptcp_dump_conn(skb, cb, conn, &dump->local);
		ccp_conn_put(conn);
		if (complete) {
			dump->token++;
			dump->local = 0;
		}
		cond_resched();
	}
	return skb->len;
}

/* Return: the one with the smallest id from @id on, or NULL. */
static const struct mptcp_pm_subflow *
ccp_mptcp_next_subflow(const struct mptcp_pm_subflow *subflows, int count, u32 id)
{
	const struct mptcp_pm_subflow *found = NULL;
	int i;

	/* Id 0 is one that is not done yet. */
	for (i = 0; i < count; i++)
		if (subflows[i].id && subflows[i].id >= id &&
		    (!found || subflows[i].id < found->id))
			found = &subflows[i];
	return found;
}

static int ccp_mptcp_put_listed(struct sk_buff *skb, struct ccp_conn *conn,
				const struct mptcp_pm_subflow *subflow)
{
	struct ccp_mptcp_event info;
	bool pending;

	ccp_rs_subflow_info(subflow, &info);
	pending = ccp_rs_path_is_pending(ccp_conn_lock(conn), subflow->id);
	ccp_conn_unlock(conn);
	return ccp_mptcp_put_subflow(skb, &info) ?:
	       (info.has & CCP_MPTCP_HAS_INITIAL ?
		nla_put_u8(skb, CCP_MPTCP_ATTR_INITIAL_SUBFLOW, 1) : 0) ?:
	       (pending ? nla_put_u8(skb, CCP_MPTCP_ATTR_PENDING, 1) : 0);
}

static void ccp_mptcp_dump_subflows(struct sk_buff *skb, struct netlink_callback *cb,
				    struct ccp_conn *conn,
				    const struct mptcp_pm_subflow *subflows, int count)
{
	struct ccp_mptcp_dump *dump = (struct ccp_mptcp_dump *)cb->ctx;
	const struct mptcp_pm_subflow *subflow;
	void *header;

	while ((subflow = ccp_mptcp_next_subflow(subflows, count, dump->subflow))) {
		header = ccp_mptcp_dump_begin(skb, cb, CCP_MPTCP_CMD_GET_SUBFLOW);
		if (!header)
			return;
		if (ccp_mptcp_put_listed(skb, conn, subflow)) {
			genlmsg_cancel(skb, header);
			return;
		}
		genlmsg_end(skb, header);
		dump->subflow = subflow->id + 1;
		if (!dump->subflow)
			return;
	}
}

int mptcp_nl_get_subflow_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ccp_state *state = ccp_net_state(sock_net(skb->sk));
	const struct genl_info *info = genl_info_dump(cb);
	struct mptcp_pm_subflow *subflows;
	struct ccp_conn *conn;
	int count;

	if (!info->attrs[CCP_MPTCP_ATTR_TOKEN]) {
		NL_SET_ERR_MSG(cb->extack, "attribute 'token' is missing");
		return -EINVAL;
	}
	conn = state ? ccp_conn_find(ccp_rs_net_shim(state),
				     nla_get_u32(info->attrs[CCP_MPTCP_ATTR_TOKEN])) : NULL;
	if (!conn) {
		NL_SET_ERR_MSG(cb->extack,
			       "no connection of this path manager has that token here");
		return -EINVAL;
	}
	subflows = kvmalloc_array(CCP_MPTCP_SUBFLOWS_MAX, sizeof(*subflows),
				  GFP_KERNEL);
	count = subflows ? ccp_mptcp_subflows(conn, subflows, CCP_MPTCP_SUBFLOWS_MAX) :
			   -ENOMEM;
	/* Known to us and no more to the kernel: it has no subflows. */
	if (count == -ENOENT)
		count = 0;
	if (count > 0)
		ccp_mptcp_dump_subflows(skb, cb, conn, subflows, count);
	kvfree(subflows);
	ccp_conn_put(conn);
	return count < 0 ? count : skb->len;
}

static int ccp_mptcp_put_counters(struct sk_buff *skb, struct ccp_state *state)
{
	struct nlattr *nest;
	u32 i = 0;
	u64 last;
	u8 cmd;

	if (ccp_mptcp_put_u64(skb, CCP_MPTCP_ATTR_DROPS, ccp_rs_mptcp_drops(state)) ||
	    nla_put_u32(skb, CCP_MPTCP_ATTR_JOIN_LIMIT,
			ccp_limit(CCP_LIMIT_MPTCP_JOIN_LIMIT)))
		return -EMSGSIZE;
	while (ccp_rs_mptcp_count(state, i++, &cmd, &last)) {
		nest = nla_nest_start(skb, CCP_MPTCP_ATTR_EVENTS);
		if (!nest || nla_put_u8(skb, CCP_MPTCP_ATTR_KIND, cmd) ||
		    ccp_mptcp_put_u64(skb, CCP_MPTCP_ATTR_SEQ, last))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

int mptcp_nl_get_counters_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_state *state = ccp_net_state(genl_info_net(info));
	struct sk_buff *reply;
	void *header;

	if (!state)
		return -ENODEV;
	reply = genlmsg_new(CCP_MPTCP_COUNTER_BYTES, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	header = genlmsg_put_reply(reply, info, &ccp_mptcp_family, 0,
				   CCP_MPTCP_CMD_GET_COUNTERS);
	return ccp_nl_send(info, reply, header, ccp_mptcp_put_counters(reply, state));
}
