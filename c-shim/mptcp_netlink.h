/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of genl family "mptcp" have in common. */
#ifndef _CCP_MPTCP_NETLINK_H
#define _CCP_MPTCP_NETLINK_H

#include "mptcp_nl_gen.h"

extern struct genl_family ccp_mptcp_family;
extern const struct genl_multicast_group mptcp_nl_mcgrps[];

/* mptcp_filter.c */
int ccp_mptcp_filters_register(void);
void ccp_mptcp_filters_unregister(void);
int ccp_mptcp_want(struct sock *socket, u32 port, u16 wanted);
u16 ccp_mptcp_wanted(const struct sock *socket);

/* mptcp_events.c, mptcp_netlink.c */
int ccp_mptcp_put_u64(struct sk_buff *skb, int attr, u64 value);
int ccp_mptcp_put_saddr(struct sk_buff *skb, const struct mptcp_pm_end *end);
int ccp_mptcp_put_daddr(struct sk_buff *skb, const struct mptcp_pm_end *end);
int ccp_mptcp_put_side(struct sk_buff *skb, const struct ccp_mptcp_event *event);

#endif
