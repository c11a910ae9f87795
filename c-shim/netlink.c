// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of genl family "ccp": unpack the request, ask Rust, pack the reply.
 * The policies in ccp_nl_gen.c have checked types and lengths by then.
 */

#include <linux/module.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "ccp_nl_gen.h"
#include "messages.h"
#include "net.h"
#include "trace.h"

/* Most bytes of instructions a request may carry, before Rust looks at them. */
#define CCP_CODE_BYTES_MAX	(64U << 10)

/* Room for the reply to any command but a dump. */
#define CCP_REPLY_BYTES		1024

/*
 * Ends a command. A text that doesn't fit into the extack goes out with an
 * acknowledgement of our own, after which the core must send none: -EINTR.
 */
static int ccp_nl_end(struct sk_buff *skb, struct genl_info *info,
		      const struct ccp_caller *caller, int err,
		      const struct ccp_error *error)
{
	struct netlink_ext_ack *extack = info->extack;
	struct ccp_net *net = ccp_rs_net_shim(caller->state);

	ccp_net_inc(net, CCP_COUNT_COMMANDS);
	if (err)
		ccp_net_inc(net, CCP_COUNT_COMMAND_ERRORS);
	trace_ccp_command(info->genlhdr->cmd, err, caller->port);

	if (!err || !error || !error->text[0])
		return err;
	if (error->attr && info->attrs && info->attrs[error->attr])
		NL_SET_BAD_ATTR(extack, info->attrs[error->attr]);
	if (strnlen(error->text, sizeof(error->text)) < NETLINK_MAX_FMTMSG_LEN) {
		NL_SET_ERR_MSG_FMT(extack, "%s", error->text);
		return err;
	}
	extack->_msg = error->text;
	netlink_ack(skb, (struct nlmsghdr *)info->nlhdr, err, extack);
	extack->_msg = NULL;
	return -EINTR;
}

static int ccp_nl_begin(struct genl_info *info, struct ccp_caller *caller)
{
	*caller = (struct ccp_caller) {
		.state = ccp_net_state(genl_info_net(info)),
		.port = info->snd_portid,
	};
	if (!caller->state)
		return -ENODEV;
	ccp_rs_heard(caller);
	return 0;
}

/* For commands that have no attributes, hence no policy. */
static int ccp_nl_no_attrs(struct genl_info *info, struct ccp_error *error)
{
	if (nlmsg_len(info->nlhdr) <= GENL_HDRLEN)
		return 0;
	strscpy(error->text, "this command takes no attributes");
	return -EINVAL;
}

static struct sk_buff *ccp_nl_reply(struct genl_info *info, void **header)
{
	struct sk_buff *reply = genlmsg_new(CCP_REPLY_BYTES, GFP_KERNEL);

	if (!reply)
		return NULL;
	*header = genlmsg_put_reply(reply, info, &ccp_nl_family, 0,
				    info->genlhdr->cmd);
	return reply;
}

static int ccp_nl_send(struct genl_info *info, struct sk_buff *reply,
		       void *header, int err)
{
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, header);
	return genlmsg_reply(reply, info);
}

static int ccp_nl_missing(struct genl_info *info, int attr,
			  struct ccp_error *error, const char *name)
{
	if (!GENL_REQ_ATTR_CHECK(info, attr))
		return 0;
	snprintf(error->text, sizeof(error->text), "attribute '%s' is missing",
		 name);
	return -EINVAL;
}

/* The names of the algorithms, one after the other, each with its NUL. */
static int ccp_nl_algorithms(struct genl_info *info, char *names, u32 *len,
			     struct ccp_error *error)
{
	const struct nlattr *attr;
	u32 count = 0;
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
		if (nla_strscpy(names + *len, attr, CCP_ALGORITHM_LEN) <= 0) {
			snprintf(error->text, sizeof(error->text),
				 "name of algorithm %u is empty or too long",
				 count);
			error->attr = CCP_A_AGENT_ALGORITHM;
			return -EINVAL;
		}
		*len += strlen(names + *len) + 1;
	}
	return 0;
}

int ccp_nl_agent_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	char names[CCP_ALGORITHMS_MAX * CCP_ALGORITHM_LEN];
	struct ccp_agent_info agent;
	struct ccp_error error = {};
	struct ccp_caller caller;
	struct sk_buff *reply;
	void *header;
	int err;
	u32 len;

	err = ccp_nl_begin(info, &caller);
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
	err = ccp_nl_send(info, reply, header, err);
	if (!err)
		ccp_net_sweep(ccp_rs_net_shim(caller.state));
	return ccp_nl_end(skb, info, &caller, err, &error);
}

int ccp_nl_agent_detach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_error error = {};
	struct ccp_caller caller;
	int err;

	err = ccp_nl_begin(info, &caller);
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

	err = ccp_nl_begin(info, &caller);
	if (err)
		return err;
	err = ccp_nl_no_attrs(info, &error) ?:
	      ccp_rs_agent_heartbeat(&caller, &error);
	return ccp_nl_end(skb, info, &caller, err, &error);
}

/*
 * Instructions come in one attribute, which is used where it is, or in
 * several, which are put together in *@copy.
 */
static int ccp_nl_instructions(struct genl_info *info, const u8 **code, u32 *len,
			       u8 **copy, struct ccp_error *error)
{
	const struct nlattr *attr;
	u32 chunks = 0;
	int rem;

	*len = 0;
	*copy = NULL;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != CCP_A_PROGRAM_INSTRUCTIONS)
			continue;
		*code = nla_data(attr);
		*len += nla_len(attr);
		chunks++;
		if (*len > CCP_CODE_BYTES_MAX) {
			snprintf(error->text, sizeof(error->text),
				 "more than %u instructions",
				 ccp_rs_max_instructions());
			error->attr = CCP_A_PROGRAM_INSTRUCTIONS;
			return -E2BIG;
		}
	}
	if (chunks <= 1)
		return 0;

	*copy = kvmalloc(*len, GFP_KERNEL);
	if (!*copy)
		return -ENOMEM;
	*code = *copy;
	*len = 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != CCP_A_PROGRAM_INSTRUCTIONS)
			continue;
		memcpy(*copy + *len, nla_data(attr), nla_len(attr));
		*len += nla_len(attr);
	}
	return 0;
}

int ccp_nl_program_install_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_program_info program;
	struct nlattr **attrs = info->attrs;
	struct ccp_error error = {};
	struct ccp_caller caller;
	const u8 *code = NULL;
	struct sk_buff *reply;
	void *header;
	u8 *copy;
	int err;
	u32 len;

	err = ccp_nl_begin(info, &caller);
	if (err)
		return err;
	err = ccp_nl_missing(info, CCP_A_PROGRAM_NAME, &error, "name") ?:
	      ccp_nl_missing(info, CCP_A_PROGRAM_EVENTS, &error, "events") ?:
	      ccp_nl_missing(info, CCP_A_PROGRAM_INSTRUCTIONS, &error,
			     "instructions") ?:
	      ccp_nl_instructions(info, &code, &len, &copy, &error);
	if (err)
		return ccp_nl_end(skb, info, &caller, err, &error);
	reply = ccp_nl_reply(info, &header);
	if (!reply) {
		kvfree(copy);
		return ccp_nl_end(skb, info, &caller, -ENOMEM, NULL);
	}

	err = ccp_rs_program_install(&caller, nla_data(attrs[CCP_A_PROGRAM_NAME]),
				     nla_len(attrs[CCP_A_PROGRAM_NAME]) - 1,
				     nla_data(attrs[CCP_A_PROGRAM_EVENTS]),
				     nla_len(attrs[CCP_A_PROGRAM_EVENTS]),
				     code, len, &program, &error);
	kvfree(copy);
	if (!err)
		err = ccp_put_program(reply, &program);
	err = ccp_nl_send(info, reply, header, err);
	return ccp_nl_end(skb, info, &caller, err, &error);
}

int ccp_nl_program_remove_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_error error = {};
	struct ccp_caller caller;
	int err;

	err = ccp_nl_begin(info, &caller);
	if (err)
		return err;
	err = ccp_nl_missing(info, CCP_A_PROGRAM_ID, &error, "id") ?:
	      ccp_rs_program_remove(&caller,
				    nla_get_u32(info->attrs[CCP_A_PROGRAM_ID]),
				    &error);
	return ccp_nl_end(skb, info, &caller, err, &error);
}

int ccp_nl_program_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_program_info program;
	struct ccp_error error = {};
	struct ccp_caller caller;
	struct sk_buff *reply;
	void *header;
	int err;

	err = ccp_nl_begin(info, &caller);
	if (err)
		return err;
	err = ccp_nl_missing(info, CCP_A_PROGRAM_ID, &error, "id") ?:
	      ccp_rs_program_get(&caller,
				 nla_get_u32(info->attrs[CCP_A_PROGRAM_ID]),
				 &program, &error);
	if (!err) {
		reply = ccp_nl_reply(info, &header);
		err = !reply ? -ENOMEM :
		      ccp_nl_send(info, reply, header,
				  ccp_put_program(reply, &program));
	}
	return ccp_nl_end(skb, info, &caller, err, &error);
}

int ccp_nl_fallback_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *id = info->attrs[CCP_A_PROGRAM_ID];
	struct ccp_error error = {};
	struct ccp_caller caller;
	int err;

	err = ccp_nl_begin(info, &caller);
	if (err)
		return err;
	err = ccp_rs_fallback_set(&caller, id ? nla_get_u32(id) : 0, &error);
	return ccp_nl_end(skb, info, &caller, err, &error);
}

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

	err = ccp_nl_begin(info, &caller);
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

	sk = ccp_flow_lock(net, id);
	if (sk) {
		ccp_rs_flow_info(ccp_tcp_flow(sk, net, &id), &flow);
		err = ccp_put_flow(reply, sk, &flow);
		ccp_flow_unlock(sk);
	} else {
		err = -ENOENT;
		error.attr = CCP_A_FLOW_ID;
		snprintf(error.text, sizeof(error.text), "no flow %llu here", id);
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

	err = ccp_nl_begin(info, &caller);
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

	err = ccp_nl_begin(info, &caller);
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

int ccp_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_error error = {};
	struct ccp_caller caller;
	struct sk_buff *reply;
	void *header;
	int err;

	err = ccp_nl_begin(info, &caller);
	if (err)
		return err;
	err = ccp_nl_no_attrs(info, &error);
	if (!err) {
		reply = ccp_nl_reply(info, &header);
		err = !reply ? -ENOMEM :
		      ccp_nl_send(info, reply, header,
				  ccp_put_stats(reply, ccp_rs_net_shim(caller.state)));
	}
	return ccp_nl_end(skb, info, &caller, err, &error);
}

/* A netlink socket was closed: maybe an agent's. Process context. */
static int ccp_nl_release(struct notifier_block *block, unsigned long event,
			  void *data)
{
	const struct netlink_notify *notify = data;
	struct ccp_state *state;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	/* The socket being closed keeps its namespace. */
	state = ccp_net_state(notify->net);
	if (state)
		ccp_rs_agent_gone(state, notify->portid);
	return NOTIFY_DONE;
}

static struct notifier_block ccp_nl_notifier = {
	.notifier_call = ccp_nl_release,
};

int ccp_netlink_register(void)
{
	int err;

	err = netlink_register_notifier(&ccp_nl_notifier);
	if (err)
		return err;
	err = genl_register_family(&ccp_nl_family);
	if (err)
		netlink_unregister_notifier(&ccp_nl_notifier);
	return err;
}

void ccp_netlink_unregister(void)
{
	genl_unregister_family(&ccp_nl_family);
	netlink_unregister_notifier(&ccp_nl_notifier);
}

MODULE_ALIAS_GENL_FAMILY(CCP_FAMILY_NAME);
