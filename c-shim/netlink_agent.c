// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about agents.
 */

#include <linux/net.h>

#include "ccp_nl_gen.h"
#include "cong.h"
#include "netlink.h"

/* The names of the algorithms, one after the other, each with its NUL. */
static int ccp_nl_algorithms(struct genl_info *info, char *names, u32 *len,
			     struct ccp_error *error)
{
	const struct nlattr *attr;
	u32 count = 0;
	size_t size;
	int rem;

	*len = 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != CCP_A_AGENT_ALGORITHM)
			continue;
		if (++count > CCP_ALGORITHMS_MAX) {
			snprintf(error->text, sizeof(error->text),
				 "more than %u algorithms", CCP_ALGORITHMS_MAX);
			error->attr = CCP_A_AGENT_ALGORITHM;
			return -E2BIG;
		}
		size = strnlen(nla_data(attr), nla_len(attr));
		if (size >= CCP_ALGORITHM_LEN || size + 1 < nla_len(attr)) {
			snprintf(error->text, sizeof(error->text),
				 "name of algorithm %u is too long or has a NUL inside",
				 count);
			error->attr = CCP_A_AGENT_ALGORITHM;
			return -EINVAL;
		}
		memcpy(names + *len, nla_data(attr), size);
		*len += size;
		names[(*len)++] = '\0';
	}
	return 0;
}

int ccp_nl_agent_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	char names[CCP_ALGORITHMS_MAX * CCP_ALGORITHM_LEN];
	char without[CCP_CONG_TEXT] = "";
	struct ccp_agent_info agent;
	struct ccp_error error = {}, ignored = {};
	struct ccp_caller caller;
	struct sk_buff *reply;
	bool attached;
	void *header;
	int err;
	u32 len;

	err = ccp_nl_begin(skb, info, &caller);
	if (err)
		return err;
	err = ccp_nl_missing(info, CCP_A_AGENT_NAME, &error, "name") ?:
	      ccp_nl_algorithms(info, names, &len, &error);
	if (err)
		return ccp_nl_end(skb, info, &caller, err, &error);
	reply = ccp_nl_reply(info, &header);
	if (!reply)
		return ccp_nl_end(skb, info, &caller, -ENOMEM, NULL);

	err = ccp_rs_agent_attach(&caller, nla_data(info->attrs[CCP_A_AGENT_NAME]),
				  nla_len(info->attrs[CCP_A_AGENT_NAME]) - 1,
				  names, len, &agent, &error);
	if (!err && (nla_put_u32(reply, CCP_A_AGENT_ID, agent.id) ||
		     nla_put_u32(reply, CCP_A_AGENT_TIMEOUT_MS,
				 ccp_limit(CCP_LIMIT_AGENT_TIMEOUT_MS)) ||
		     nla_put_u32(reply, CCP_A_AGENT_ISA_VERSION,
				 ccp_rs_isa_version()) ||
		     nla_put_u32(reply, CCP_A_AGENT_MAX_INSTRUCTIONS,
				 ccp_rs_max_instructions()) ||
		     nla_put_u32(reply, CCP_A_AGENT_MAX_EVENTS,
				 ccp_rs_max_events())))
		err = -EMSGSIZE;
	attached = !err;
	/*
	 * Congestion controls are the machine's, not the namespace's. Without
	 * them the agent is still good for the others, and those of "ccp".
	 */
	if (!err && netlink_capable(skb, CAP_NET_ADMIN))
		err = ccp_cong_offer(names, len, without, &error);
	err = ccp_nl_send(info, reply, header, err);
	/* Who can't be told its id isn't attached. */
	if (attached && err)
		ccp_rs_agent_detach(&caller, &ignored);
	else if (attached)
		ccp_rs_agent_ready(&caller);
	if (!err && without[0]) {
		net_notice_ratelimited("ccp_rs: agent %u: %s; names stay until the module goes\n",
				       agent.id, without);
		NL_SET_ERR_MSG_FMT(info->extack, "%s", without);
	}
	return ccp_nl_end(skb, info, &caller, err, &error);
}

int ccp_nl_agent_detach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_error error = {};
	struct ccp_caller caller;
	int err;

	err = ccp_nl_begin(skb, info, &caller);
	if (err)
		return err;
	err = ccp_nl_no_attrs(info, &error) ?:
	      ccp_rs_agent_detach(&caller, &error);
	return ccp_nl_end(skb, info, &caller, err, &error);
}

int ccp_nl_agent_heartbeat_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_error error = {};
	struct ccp_caller caller;
	int err;

	err = ccp_nl_begin(skb, info, &caller);
	if (err)
		return err;
	err = ccp_nl_no_attrs(info, &error) ?:
	      ccp_rs_agent_heartbeat(&caller, &error);
	return ccp_nl_end(skb, info, &caller, err, &error);
}
