// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about flows.
 */

#include "ccp_nl_gen.h"
#include "messages.h"
#include "netlink.h"

int ccp_nl_flow_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_flow_info flow;
	struct ccp_error error = {};
	struct ccp_caller caller;
	struct sk_buff *reply;
	struct ccp_net *net;
	struct sock *sk;
	void *header;
	int err;
	u64 id;

	err = ccp_nl_begin(skb, info, &caller);
	if (err)
		return err;
	net = ccp_rs_net_shim(caller.state);
	err = ccp_nl_missing(info, CCP_A_FLOW_ID, &error, "id");
	if (err)
		return ccp_nl_end(skb, info, &caller, err, &error);
	id = nla_get_uint(info->attrs[CCP_A_FLOW_ID]);
	reply = ccp_nl_reply(info, &header);
	if (!reply)
		return ccp_nl_end(skb, info, &caller, -ENOMEM, NULL);

	err = ccp_flow_lock(net, id, &sk);
	if (!err) {
		ccp_rs_flow_info(ccp_tcp_flow(sk, net, &id), &flow);
		err = ccp_put_flow(reply, sk, &flow);
		ccp_flow_unlock(sk);
	} else {
		error.attr = CCP_A_FLOW_ID;
		snprintf(error.text, sizeof(error.text), err == -ENOENT ?
			 "no flow %llu here" :
			 "flow %llu is busy: its process holds the socket", id);
	}
	err = ccp_nl_send(info, reply, header, err);
	return ccp_nl_end(skb, info, &caller, err, &error);
}

static int ccp_nl_update(const struct nlattr *attr, struct ccp_update *update,
			 u32 number, struct genl_info *info,
			 struct ccp_error *error)
{
	struct nlattr *parts[CCP_A_UPDATE_MAX + 1];
	int err;

	err = nla_parse_nested(parts, CCP_A_UPDATE_MAX, attr,
			       ccp_update_nl_policy, info->extack);
	if (err)
		return err;
	if (!parts[CCP_A_UPDATE_CLASS] || !parts[CCP_A_UPDATE_INDEX] ||
	    !parts[CCP_A_UPDATE_VALUE]) {
		snprintf(error->text, sizeof(error->text),
			 "update %u needs class, index and value", number);
		return -EINVAL;
	}
	update->class = nla_get_u8(parts[CCP_A_UPDATE_CLASS]);
	update->index = nla_get_u32(parts[CCP_A_UPDATE_INDEX]);
	update->value = nla_get_uint(parts[CCP_A_UPDATE_VALUE]);
	return 0;
}

static int ccp_nl_updates(struct genl_info *info, struct ccp_update *updates,
			  u32 *count, struct ccp_error *error)
{
	const struct nlattr *attr;
	int err, rem;

	*count = 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != CCP_A_FLOW_UPDATES)
			continue;
		error->attr = CCP_A_FLOW_UPDATES;
		if (*count == CCP_UPDATES_MAX) {
			snprintf(error->text, sizeof(error->text),
				 "more than %u updates", CCP_UPDATES_MAX);
			return -E2BIG;
		}
		err = ccp_nl_update(attr, &updates[*count], *count, info, error);
		if (err)
			return err;
		++*count;
	}
	error->attr = 0;
	return 0;
}

int ccp_nl_flow_set_program_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_update updates[CCP_UPDATES_MAX];
	struct ccp_error error = {};
	struct ccp_caller caller;
	u32 count;
	int err;

	err = ccp_nl_begin(skb, info, &caller);
	if (err)
		return err;
	err = ccp_nl_missing(info, CCP_A_FLOW_ID, &error, "id") ?:
	      ccp_nl_missing(info, CCP_A_FLOW_PROGRAM_ID, &error, "program-id") ?:
	      ccp_nl_updates(info, updates, &count, &error) ?:
	      ccp_rs_flow_set_program(&caller,
				      nla_get_uint(info->attrs[CCP_A_FLOW_ID]),
				      nla_get_u32(info->attrs[CCP_A_FLOW_PROGRAM_ID]),
				      updates, count, &error);
	return ccp_nl_end(skb, info, &caller, err, &error);
}

int ccp_nl_flow_update_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_update updates[CCP_UPDATES_MAX];
	struct ccp_error error = {};
	struct ccp_caller caller;
	u32 count;
	int err;

	err = ccp_nl_begin(skb, info, &caller);
	if (err)
		return err;
	err = ccp_nl_missing(info, CCP_A_FLOW_ID, &error, "id") ?:
	      ccp_nl_missing(info, CCP_A_FLOW_UPDATES, &error, "updates") ?:
	      ccp_nl_updates(info, updates, &count, &error) ?:
	      ccp_rs_flow_update(&caller,
				 nla_get_uint(info->attrs[CCP_A_FLOW_ID]),
				 updates, count, &error);
	return ccp_nl_end(skb, info, &caller, err, &error);
}
