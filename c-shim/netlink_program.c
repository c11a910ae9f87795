// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about programs.
 */

#include <linux/slab.h>

#include "ccp_nl_gen.h"
#include "messages.h"
#include "netlink.h"

/* Most bytes of instructions a request may carry, before Rust looks at them. */
#define CCP_CODE_BYTES_MAX	(64U << 10)

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
	bool installed;
	void *header;
	u8 *copy;
	int err;
	u32 len;

	err = ccp_nl_begin(skb, info, &caller);
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
	installed = !err;
	if (!err)
		err = ccp_put_program(reply, &program);
	err = ccp_nl_send(info, reply, header, err);
	/* Who can't be told its id doesn't have it. */
	if (installed && err)
		ccp_rs_program_remove(&caller, program.id, &error);
	return ccp_nl_end(skb, info, &caller, err, &error);
}

int ccp_nl_program_remove_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_error error = {};
	struct ccp_caller caller;
	int err;

	err = ccp_nl_begin(skb, info, &caller);
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

	err = ccp_nl_begin(skb, info, &caller);
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

	err = ccp_nl_begin(skb, info, &caller);
	if (err)
		return err;
	err = ccp_rs_fallback_set(&caller, id ? nla_get_u32(id) : 0, &error);
	return ccp_nl_end(skb, info, &caller, err, &error);
}
