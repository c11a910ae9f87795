// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	docs/netlink/specs/ccp.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: docs/netlink/regen.sh */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "ccp_nl_gen.h"

#include <uapi/linux/ccp.h>
#include <shim.h>

/* Common nested types */
const struct nla_policy ccp_update_nl_policy[CCP_A_UPDATE_VALUE + 1] = {
	[CCP_A_UPDATE_CLASS] = NLA_POLICY_MAX(NLA_U8, 8),
	[CCP_A_UPDATE_INDEX] = { .type = NLA_U32, },
	[CCP_A_UPDATE_VALUE] = { .type = NLA_UINT, },
};

/* CCP_CMD_AGENT_ATTACH - do */
static const struct nla_policy ccp_agent_attach_nl_policy[CCP_A_AGENT_ALGORITHM + 1] = {
	[CCP_A_AGENT_NAME] = { .type = NLA_NUL_STRING, .len = CCP_NAME_MAX, },
	[CCP_A_AGENT_ALGORITHM] = { .type = NLA_STRING, .len = 15, },
};

/* CCP_CMD_PROGRAM_INSTALL - do */
static const struct nla_policy ccp_program_install_nl_policy[CCP_A_PROGRAM_INSTRUCTIONS + 1] = {
	[CCP_A_PROGRAM_NAME] = { .type = NLA_NUL_STRING, .len = CCP_NAME_MAX, },
	[CCP_A_PROGRAM_EVENTS] = NLA_POLICY_MAX_LEN(CCP_CODE_CHUNK_MAX),
	[CCP_A_PROGRAM_INSTRUCTIONS] = NLA_POLICY_MAX_LEN(CCP_CODE_CHUNK_MAX),
};

/* CCP_CMD_PROGRAM_REMOVE - do */
static const struct nla_policy ccp_program_remove_nl_policy[CCP_A_PROGRAM_ID + 1] = {
	[CCP_A_PROGRAM_ID] = { .type = NLA_U32, },
};

/* CCP_CMD_PROGRAM_GET - do */
static const struct nla_policy ccp_program_get_nl_policy[CCP_A_PROGRAM_ID + 1] = {
	[CCP_A_PROGRAM_ID] = { .type = NLA_U32, },
};

/* CCP_CMD_FALLBACK_SET - do */
static const struct nla_policy ccp_fallback_set_nl_policy[CCP_A_PROGRAM_ID + 1] = {
	[CCP_A_PROGRAM_ID] = { .type = NLA_U32, },
};

/* CCP_CMD_FLOW_GET - do */
static const struct nla_policy ccp_flow_get_nl_policy[CCP_A_FLOW_ID + 1] = {
	[CCP_A_FLOW_ID] = { .type = NLA_UINT, },
};

/* CCP_CMD_FLOW_SET_PROGRAM - do */
static const struct nla_policy ccp_flow_set_program_nl_policy[CCP_A_FLOW_UPDATES + 1] = {
	[CCP_A_FLOW_ID] = { .type = NLA_UINT, },
	[CCP_A_FLOW_PROGRAM_ID] = { .type = NLA_U32, },
	[CCP_A_FLOW_UPDATES] = NLA_POLICY_NESTED(ccp_update_nl_policy),
};

/* CCP_CMD_FLOW_UPDATE - do */
static const struct nla_policy ccp_flow_update_nl_policy[CCP_A_FLOW_UPDATES + 1] = {
	[CCP_A_FLOW_ID] = { .type = NLA_UINT, },
	[CCP_A_FLOW_UPDATES] = NLA_POLICY_NESTED(ccp_update_nl_policy),
};

/* Ops table for ccp */
static const struct genl_split_ops ccp_nl_ops[] = {
	{
		.cmd		= CCP_CMD_AGENT_ATTACH,
		.doit		= ccp_nl_agent_attach_doit,
		.policy		= ccp_agent_attach_nl_policy,
		.maxattr	= CCP_A_AGENT_ALGORITHM,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= CCP_CMD_AGENT_DETACH,
		.doit	= ccp_nl_agent_detach_doit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= CCP_CMD_AGENT_HEARTBEAT,
		.doit	= ccp_nl_agent_heartbeat_doit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= CCP_CMD_AGENT_GET,
		.dumpit	= ccp_nl_agent_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= CCP_CMD_PROGRAM_INSTALL,
		.doit		= ccp_nl_program_install_doit,
		.policy		= ccp_program_install_nl_policy,
		.maxattr	= CCP_A_PROGRAM_INSTRUCTIONS,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= CCP_CMD_PROGRAM_REMOVE,
		.doit		= ccp_nl_program_remove_doit,
		.policy		= ccp_program_remove_nl_policy,
		.maxattr	= CCP_A_PROGRAM_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= CCP_CMD_PROGRAM_GET,
		.doit		= ccp_nl_program_get_doit,
		.policy		= ccp_program_get_nl_policy,
		.maxattr	= CCP_A_PROGRAM_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= CCP_CMD_PROGRAM_GET,
		.dumpit	= ccp_nl_program_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= CCP_CMD_FALLBACK_SET,
		.doit		= ccp_nl_fallback_set_doit,
		.policy		= ccp_fallback_set_nl_policy,
		.maxattr	= CCP_A_PROGRAM_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= CCP_CMD_FLOW_GET,
		.doit		= ccp_nl_flow_get_doit,
		.policy		= ccp_flow_get_nl_policy,
		.maxattr	= CCP_A_FLOW_ID,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= CCP_CMD_FLOW_GET,
		.dumpit	= ccp_nl_flow_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= CCP_CMD_FLOW_SET_PROGRAM,
		.doit		= ccp_nl_flow_set_program_doit,
		.policy		= ccp_flow_set_program_nl_policy,
		.maxattr	= CCP_A_FLOW_UPDATES,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= CCP_CMD_FLOW_UPDATE,
		.doit		= ccp_nl_flow_update_doit,
		.policy		= ccp_flow_update_nl_policy,
		.maxattr	= CCP_A_FLOW_UPDATES,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= CCP_CMD_STATS_GET,
		.doit	= ccp_nl_stats_get_doit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group ccp_nl_mcgrps[] = {
	[CCP_NLGRP_EVENTS] = { .name = "events", .flags = GENL_MCAST_CAP_NET_ADMIN, },
};

struct genl_family ccp_nl_family __ro_after_init = {
	.name		= CCP_FAMILY_NAME,
	.version	= CCP_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= ccp_nl_ops,
	.n_split_ops	= ARRAY_SIZE(ccp_nl_ops),
	.mcgrps		= ccp_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(ccp_nl_mcgrps),
};
