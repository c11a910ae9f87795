// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	docs/netlink/specs/mptcp.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: docs/netlink/regen.sh */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "mptcp_nl_gen.h"

#include <uapi/linux/ccp_mptcp.h>
#include <mptcp.h>

/* Global operation policy for mptcp */
const struct nla_policy mptcp_attr_nl_policy[CCP_MPTCP_ATTR_IF_IDX + 1] = {
	[CCP_MPTCP_ATTR_TOKEN] = { .type = NLA_U32, },
	[CCP_MPTCP_ATTR_FAMILY] = { .type = NLA_U16, },
	[CCP_MPTCP_ATTR_LOC_ID] = { .type = NLA_U8, },
	[CCP_MPTCP_ATTR_REM_ID] = { .type = NLA_U8, },
	[CCP_MPTCP_ATTR_SADDR4] = { .type = NLA_BE32, },
	[CCP_MPTCP_ATTR_SADDR6] = NLA_POLICY_EXACT_LEN(16),
	[CCP_MPTCP_ATTR_DADDR4] = { .type = NLA_BE32, },
	[CCP_MPTCP_ATTR_DADDR6] = NLA_POLICY_EXACT_LEN(16),
	[CCP_MPTCP_ATTR_SPORT] = { .type = NLA_U16, },
	[CCP_MPTCP_ATTR_DPORT] = { .type = NLA_U16, },
	[CCP_MPTCP_ATTR_BACKUP] = { .type = NLA_U8, },
	[CCP_MPTCP_ATTR_FLAGS] = { .type = NLA_U16, },
	[CCP_MPTCP_ATTR_IF_IDX] = { .type = NLA_S32, },
};

/* Ops table for mptcp */
const struct genl_small_ops mptcp_nl_ops[10] = {
	{
		.cmd		= CCP_MPTCP_CMD_ANNOUNCE,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= mptcp_nl_announce_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCP_MPTCP_CMD_REMOVE,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= mptcp_nl_remove_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCP_MPTCP_CMD_SUB_CREATE,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= mptcp_nl_sub_create_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCP_MPTCP_CMD_SUB_DESTROY,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= mptcp_nl_sub_destroy_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCP_MPTCP_CMD_SUB_PRIORITY,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= mptcp_nl_sub_priority_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCP_MPTCP_CMD_SET_FILTER,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= mptcp_nl_set_filter_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= CCP_MPTCP_CMD_EXIST,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= mptcp_nl_exist_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd	= CCP_MPTCP_CMD_GET_CONN,
		.doit	= mptcp_nl_get_conn_doit,
		.dumpit	= mptcp_nl_get_conn_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd	= CCP_MPTCP_CMD_GET_SUBFLOW,
		.dumpit	= mptcp_nl_get_subflow_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd	= CCP_MPTCP_CMD_GET_COUNTERS,
		.doit	= mptcp_nl_get_counters_doit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
};

const struct genl_multicast_group mptcp_nl_mcgrps[] = {
	[MPTCP_NLGRP_MPTCP_EVENTS] = { .name = "mptcp_events", .flags = GENL_MCAST_CAP_NET_ADMIN, },
	[MPTCP_NLGRP_MPTCP_COMMANDS] = { .name = "mptcp_commands", .flags = GENL_MCAST_CAP_NET_ADMIN, },
};
