/* SPDX-License-Identifier: GPL-2.0 */
/* What the two ways to Portus clients have in common. */
#ifndef _CCP_PORTUS_H
#define _CCP_PORTUS_H

#include "shim.h"

struct sk_buff;

int ccp_portus_request(const struct ccp_caller *caller, const void *message,
		       u32 len);
int ccp_portus_device_register(void);
void ccp_portus_device_unregister(void);
int ccp_portus_device_send(struct sock *socket, const void *message, u32 len);

#endif
