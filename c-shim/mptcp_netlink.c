// SPDX-License-Identifier: GPL-2.0
/*
 * Genl family "mptcp": its registration and its commands. A command unpacks
 * the request and asks Rust; the policies in mptcp_nl_gen.c have checked
 * types. They are lenient, as those of the out-of-tree kernel were, so lengths
 * are checked here.
 */

#include <linux/module.h>
#include <net/genetlink.h>

#include "mptcp_netlink.h"
#include "net.h"
#include "netlink.h"

/* Events first: there are clients that join the first group listed. */
struct genl_family ccp_mptcp_family __ro_after_init = {
	.name			= CCP_MPTCP_FAMILY_NAME,
	.version		= CCP_MPTCP_FAMILY_VERSION,
	.netnsok		= true,
	.parallel_ops		= true,
	.module			= THIS_MODULE,
	.policy			= mptcp_attr_nl_policy,
	.maxattr		= ARRAY_SIZE(mptcp_attr_nl_policy) - 1,
	.small_ops		= mptcp_nl_ops,
	.n_small_ops		= ARRAY_SIZE(mptcp_nl_ops),
	.resv_start_op		= CCP_MPTCP_CMD_MAX + 1,
	.mcgrps			= mptcp_nl_mcgrps,
	.n_mcgrps		= 2,
};

/* How many bytes each attribute of a request has. */
static const u8 ccp_mptcp_sizes[] = {
	[CCP_MPTCP_ATTR_TOKEN]	= sizeof(u32),
	[CCP_MPTCP_ATTR_FAMILY]	= sizeof(u16),
	[CCP_MPTCP_ATTR_LOC_ID]	= sizeof(u8),
	[CCP_MPTCP_ATTR_REM_ID]	= sizeof(u8),
	[CCP_MPTCP_ATTR_SADDR4]	= sizeof(struct in_addr),
	[CCP_MPTCP_ATTR_SADDR6]	= sizeof(struct in6_addr),
	[CCP_MPTCP_ATTR_DADDR4]	= sizeof(struct in_addr),
	[CCP_MPTCP_ATTR_DADDR6]	= sizeof(struct in6_addr),
	[CCP_MPTCP_ATTR_SPORT]	= sizeof(u16),
	[CCP_MPTCP_ATTR_DPORT]	= sizeof(u16),
	[CCP_MPTCP_ATTR_BACKUP]	= sizeof(u8),
	[CCP_MPTCP_ATTR_FLAGS]	= sizeof(u16),
	[CCP_MPTCP_ATTR_IF_IDX]	= sizeof(s32),
};

static void ccp_mptcp_unpack_one(struct ccp_mptcp_request *request, int attr,
				 const struct nlattr *from)
{
	switch (attr) {
	case CCP_MPTCP_ATTR_TOKEN:
		request->token = nla_get_u32(from);
		break;
	case CCP_MPTCP_ATTR_FAMILY:
		request->family = nla_get_u16(from);
		break;
	case CCP_MPTCP_ATTR_LOC_ID:
		request->loc_id = nla_get_u8(from);
		break;
	case CCP_MPTCP_ATTR_REM_ID:
		request->rem_id = nla_get_u8(from);
		break;
	case CCP_MPTCP_ATTR_SADDR4:
		request->saddr4 = nla_get_in_addr(from);
		break;
	case CCP_MPTCP_ATTR_SADDR6:
		request->saddr6 = nla_get_in6_addr(from);
		break;
	case CCP_MPTCP_ATTR_DADDR4:
		request->daddr4 = nla_get_in_addr(from);
		break;
	case CCP_MPTCP_ATTR_DADDR6:
		request->daddr6 = nla_get_in6_addr(from);
		break;
	case CCP_MPTCP_ATTR_SPORT:
		request->sport = nla_get_u16(from);
		break;
	case CCP_MPTCP_ATTR_DPORT:
		request->dport = nla_get_u16(from);
		break;
	case CCP_MPTCP_ATTR_BACKUP:
		request->backup = nla_get_u8(from);
		break;
	case CCP_MPTCP_ATTR_FLAGS:
		request->flags = nla_get_u16(from);
		break;
	case CCP_MPTCP_ATTR_IF_IDX:
		request->ifindex = nla_get_s32(from);
		break;
	}
}

static int ccp_mptcp_unpack(const struct genl_info *info,
			    struct ccp_mptcp_request *request,
			    struct ccp_error *error)
{
	int i;

	*request = (struct ccp_mptcp_request) {};
	for (i = 1; i < ARRAY_SIZE(ccp_mptcp_sizes); i++) {
		const struct nlattr *attr = info->attrs[i];

		if (!attr || !ccp_mptcp_sizes[i])
			continue;
		if (nla_len(attr) != ccp_mptcp_sizes[i]) {
			error->attr = i;
			snprintf(error->text, sizeof(error->text),
				 "attribute %d has %d bytes instead of %u", i,
				 nla_len(attr), ccp_mptcp_sizes[i]);
			return -EINVAL;
		}
		ccp_mptcp_unpack_one(request, i, attr);
		request->has |= BIT(i);
	}
	return 0;
}

static int ccp_mptcp_command(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_caller caller = {
		.state = ccp_net_state(genl_info_net(info)),
		.socket = NETLINK_CB(skb).sk,
		.port = info->snd_portid,
	};
	struct ccp_mptcp_request request;
	struct ccp_error error = {};
	int err;

	if (!caller.state)
		return -ENODEV;
	err = ccp_mptcp_unpack(info, &request, &error) ?:
	      ccp_rs_mptcp_command(&caller, info->genlhdr->cmd, &request, &error);
	return ccp_nl_explain(skb, info, err, &error);
}

int mptcp_nl_announce_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccp_mptcp_command(skb, info);
}

int mptcp_nl_remove_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccp_mptcp_command(skb, info);
}

int mptcp_nl_sub_create_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccp_mptcp_command(skb, info);
}

int mptcp_nl_sub_destroy_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccp_mptcp_command(skb, info);
}

int mptcp_nl_sub_priority_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccp_mptcp_command(skb, info);
}

int mptcp_nl_exist_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ccp_mptcp_command(skb, info);
}

int mptcp_nl_set_filter_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ccp_mptcp_request request;
	struct ccp_error error = {};
	int err;

	err = ccp_mptcp_unpack(info, &request, &error) ?:
	      ccp_nl_missing(info, CCP_MPTCP_ATTR_FLAGS, &error, "flags") ?:
	      ccp_mptcp_want(NETLINK_CB(skb).sk, info->snd_portid,
			     ccp_rs_mptcp_filter(request.flags));
	return ccp_nl_explain(skb, info, err, &error);
}

/**
 * ccp_mptcp_netlink_register() - offer genl family "mptcp"
 *
 * Return: 0 or a negative errno.
 */
int ccp_mptcp_netlink_register(void)
{
	int err;

	err = ccp_mptcp_filters_register();
	if (err)
		return err;
	err = genl_register_family(&ccp_mptcp_family);
	if (err)
		ccp_mptcp_filters_unregister();
	return err;
}

/**
 * ccp_mptcp_netlink_unregister() - undo ccp_mptcp_netlink_register()
 *
 * Returns when no command is being handled any more.
 */
void ccp_mptcp_netlink_unregister(void)
{
	genl_unregister_family(&ccp_mptcp_family);
	ccp_mptcp_filters_unregister();
}

MODULE_ALIAS_GENL_FAMILY(CCP_MPTCP_FAMILY_NAME);
