/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CCP_MESSAGES_H
#define _CCP_MESSAGES_H

#include "shim.h"

int ccp_put_agent(struct sk_buff *skb, const struct ccp_agent_info *info);
int ccp_put_program(struct sk_buff *skb, const struct ccp_program_info *info);
int ccp_put_flow_identity(struct sk_buff *skb, struct sock *sk,
			  const struct ccp_flow_info *info);
int ccp_put_flow_mptcp(struct sk_buff *skb, const struct sock *sk);
int ccp_put_flow_totals(struct sk_buff *skb, struct sock *sk,
			const struct ccp_flow_info *info);
int ccp_put_flow(struct sk_buff *skb, struct sock *sk,
		 const struct ccp_flow_info *info);
int ccp_put_stats(struct sk_buff *skb, const struct ccp_net *net);

#endif
