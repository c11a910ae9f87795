/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands of genl family "ccp" have in common. */
#ifndef _CCP_NETLINK_H
#define _CCP_NETLINK_H

#include <net/genetlink.h>

#include "shim.h"

int ccp_nl_begin(struct sk_buff *skb, struct genl_info *info,
		 struct ccp_caller *caller);
int ccp_nl_explain(struct sk_buff *skb, struct genl_info *info, int err,
		   const struct ccp_error *error);
int ccp_nl_end(struct sk_buff *skb, struct genl_info *info,
	       const struct ccp_caller *caller, int err,
	       const struct ccp_error *error);
int ccp_nl_no_attrs(struct genl_info *info, struct ccp_error *error);
int ccp_nl_missing(struct genl_info *info, int attr,
		   struct ccp_error *error, const char *name);
struct sk_buff *ccp_nl_reply(struct genl_info *info, void **header);
int ccp_nl_send(struct genl_info *info, struct sk_buff *reply,
		void *header, int err);

#endif
