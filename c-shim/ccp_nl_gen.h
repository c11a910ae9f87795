/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	docs/netlink/specs/ccp.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: docs/netlink/regen.sh */

#ifndef _LINUX_CCP_GEN_H
#define _LINUX_CCP_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/ccp.h>
#include <shim.h>

/* Common nested types */
extern const struct nla_policy ccp_update_nl_policy[CCP_A_UPDATE_VALUE + 1];

int ccp_nl_agent_attach_doit(struct sk_buff *skb, struct genl_info *info);
int ccp_nl_agent_detach_doit(struct sk_buff *skb, struct genl_info *info);
int ccp_nl_agent_heartbeat_doit(struct sk_buff *skb, struct genl_info *info);
int ccp_nl_agent_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int ccp_nl_program_install_doit(struct sk_buff *skb, struct genl_info *info);
int ccp_nl_program_remove_doit(struct sk_buff *skb, struct genl_info *info);
int ccp_nl_program_get_doit(struct sk_buff *skb, struct genl_info *info);
int ccp_nl_program_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int ccp_nl_fallback_set_doit(struct sk_buff *skb, struct genl_info *info);
int ccp_nl_flow_get_doit(struct sk_buff *skb, struct genl_info *info);
int ccp_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int ccp_nl_flow_set_program_doit(struct sk_buff *skb, struct genl_info *info);
int ccp_nl_flow_update_doit(struct sk_buff *skb, struct genl_info *info);
int ccp_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	CCP_NLGRP_EVENTS,
};

extern struct genl_family ccp_nl_family;

#endif /* _LINUX_CCP_GEN_H */
