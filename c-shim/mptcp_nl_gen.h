/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	docs/netlink/specs/mptcp.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: docs/netlink/regen.sh */

#ifndef _LINUX_MPTCP_GEN_H
#define _LINUX_MPTCP_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/ccp_mptcp.h>
#include <mptcp.h>

/* Global operation policy for mptcp */
extern const struct nla_policy mptcp_attr_nl_policy[CCP_MPTCP_ATTR_IF_IDX + 1];

/* Ops table for mptcp */
extern const struct genl_small_ops mptcp_nl_ops[10];

int mptcp_nl_announce_doit(struct sk_buff *skb, struct genl_info *info);
int mptcp_nl_remove_doit(struct sk_buff *skb, struct genl_info *info);
int mptcp_nl_sub_create_doit(struct sk_buff *skb, struct genl_info *info);
int mptcp_nl_sub_destroy_doit(struct sk_buff *skb, struct genl_info *info);
int mptcp_nl_sub_priority_doit(struct sk_buff *skb, struct genl_info *info);
int mptcp_nl_set_filter_doit(struct sk_buff *skb, struct genl_info *info);
int mptcp_nl_exist_doit(struct sk_buff *skb, struct genl_info *info);
int mptcp_nl_get_conn_doit(struct sk_buff *skb, struct genl_info *info);
int mptcp_nl_get_conn_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int mptcp_nl_get_subflow_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int mptcp_nl_get_counters_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	MPTCP_NLGRP_MPTCP_EVENTS,
	MPTCP_NLGRP_MPTCP_COMMANDS,
};

#endif /* _LINUX_MPTCP_GEN_H */
