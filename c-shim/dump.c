// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps of genl family "ccp".
 *
 * A dump goes through the ids in order and remembers the next one, so it
 * neither restarts nor repeats, whatever comes and goes meanwhile. Flows are
 * read under their socket's lock, one at a time: the numbers of a flow belong
 * together, those of different flows need not. A dump doesn't wait long for a
 * lock: of a flow whose process keeps the socket it tells only what needs none.
 */

#include <net/genetlink.h>
#include <net/sock.h>

#include "ccp_nl_gen.h"
#include "messages.h"
#include "net.h"

struct ccp_dump {
	u64 next;
	bool begun;
};

/* Return: the state of the dump, or NULL when the request is wrong. */
static struct ccp_dump *ccp_dump(struct netlink_callback *cb)
{
	struct ccp_dump *dump = (struct ccp_dump *)cb->ctx;

	BUILD_BUG_ON(sizeof(*dump) > sizeof(cb->ctx));
	if (!dump->begun && nlmsg_len(cb->nlh) > GENL_HDRLEN) {
		NL_SET_ERR_MSG(cb->extack, "a dump takes no attributes");
		return NULL;
	}
	dump->begun = true;
	return dump;
}

static void *ccp_dump_begin(struct sk_buff *skb, struct netlink_callback *cb,
			    u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &ccp_nl_family, NLM_F_MULTI, cmd);
}

/* Return: false when the object goes into the next message buffer. */
static bool ccp_dump_end(struct sk_buff *skb, void *header, int err)
{
	if (err) {
		genlmsg_cancel(skb, header);
		return false;
	}
	genlmsg_end(skb, header);
	return true;
}

int ccp_nl_agent_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ccp_state *state = ccp_net_state(sock_net(skb->sk));
	struct ccp_dump *dump = ccp_dump(cb);
	struct ccp_agent_info agent;
	void *header;
	u64 id;

	if (!dump)
		return -EINVAL;
	for (id = dump->next; state && ccp_rs_agent_next(state, &id, &agent); id++) {
		header = ccp_dump_begin(skb, cb, CCP_CMD_AGENT_GET);
		if (!header ||
		    !ccp_dump_end(skb, header, ccp_put_agent(skb, &agent)))
			break;
		dump->next = id + 1;
	}
	return skb->len;
}

int ccp_nl_program_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ccp_state *state = ccp_net_state(sock_net(skb->sk));
	struct ccp_dump *dump = ccp_dump(cb);
	struct ccp_program_info program;
	void *header;
	u64 id;

	if (!dump)
		return -EINVAL;
	for (id = dump->next; state && ccp_rs_program_next(state, &id, &program); id++) {
		header = ccp_dump_begin(skb, cb, CCP_CMD_PROGRAM_GET);
		if (!header ||
		    !ccp_dump_end(skb, header, ccp_put_program(skb, &program)))
			break;
		dump->next = id + 1;
	}
	return skb->len;
}

/* The facts of a flow; without the lock only which it is and who is in charge. */
static int ccp_dump_flow(struct sk_buff *skb, struct sock *sk,
			 struct ccp_net *net, u64 id, unsigned long deadline)
{
	struct ccp_flow_info flow;
	int err;

	err = ccp_flow_trylock_until(sk, net, id, deadline);
	if (err == -EBUSY && ccp_tcp_peek(sk, net, id, &flow)) {
		err = ccp_put_flow_identity(skb, sk, &flow);
		ccp_flow_put(sk);
		return err;
	}
	if (err) {
		ccp_flow_put(sk);
		return -ENOENT;
	}
	ccp_rs_flow_info(ccp_tcp_flow(sk, net, &id), &flow);
	err = ccp_put_flow(skb, sk, &flow);
	ccp_flow_unlock(sk);
	return err;
}

int ccp_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ccp_state *state = ccp_net_state(sock_net(skb->sk));
	/* For all the locks of this part of the dump together. */
	unsigned long deadline = jiffies + HZ / 10;
	struct ccp_dump *dump = ccp_dump(cb);
	struct ccp_net *net;
	struct sock *sk;
	void *header;
	int err;
	u64 id;

	if (!dump)
		return -EINVAL;
	if (!state)
		return 0;
	net = ccp_rs_net_shim(state);
	for (id = dump->next; (sk = ccp_flow_next(net, &id)); id++) {
		header = ccp_dump_begin(skb, cb, CCP_CMD_FLOW_GET);
		if (!header) {
			ccp_flow_put(sk);
			break;
		}
		err = ccp_dump_flow(skb, sk, net, id, deadline);
		if (!ccp_dump_end(skb, header, err) && err != -ENOENT)
			break;
		dump->next = id + 1;
	}
	return skb->len;
}
