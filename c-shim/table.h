/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CCP_TABLE_H
#define _CCP_TABLE_H

#include <linux/xarray.h>

/* Objects by id. The lock is taken in softirq too and is a leaf. */
struct ccp_table {
	struct xarray objects;
	u32 count;
};

void ccp_table_init(struct ccp_table *table);
void ccp_table_destroy(struct ccp_table *table);

#endif
