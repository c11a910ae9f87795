/* SPDX-License-Identifier: GPL-2.0 */
/* Names of congestion controls, and what they have in common. */
#ifndef _CCP_CONG_H
#define _CCP_CONG_H

#include "shim.h"

struct tcp_congestion_ops;

#define CCP_CONG_TEXT	80	/* with the NUL; what an extack has room for */

/* tcp.c: without names. */
extern const struct tcp_congestion_ops ccp_tcp_ops;
extern const struct tcp_congestion_ops ccp_tcp_reno_ops;

/* cong.c */
bool ccp_cong_is_ours(const struct tcp_congestion_ops *ops);
const struct tcp_congestion_ops *ccp_cong_reno(const struct tcp_congestion_ops *ops);
const struct tcp_congestion_ops *ccp_cong_ops(const struct tcp_congestion_ops *reno);
const char *ccp_cong_name(const struct sock *sk);
int ccp_cong_offer(const char *algorithms, u32 len, char *without,
		   struct ccp_error *error);

#endif
