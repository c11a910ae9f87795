/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CCP_NET_H
#define _CCP_NET_H

#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "shim.h"
#include "table.h"

struct ccp_counters {
	u64 values[__CCP_COUNTERS];
};

/* A network namespace. Belongs to its net::Net, which frees it. */
struct ccp_net {
	struct ccp_table flows;
	struct ccp_table agents;
	struct ccp_table programs;
	/* Held by what changes agents, programs or the fallback. */
	struct mutex commands;
	struct work_struct sweep;
	struct ccp_state *state;
	/* Arc<Program> or NULL, under the lock of programs. */
	void *fallback;
	struct ccp_counters __percpu *counters;
#ifdef CCP_MPTCP
	struct rb_root conns;	/* MPTCP connections by token */
	/* Of conns. A leaf; taken with BH off. */
	spinlock_t conns_lock;
	/*
	 * From the numbering of an event of family "mptcp" until it is queued.
	 * Taken with BH off, inside of a connection's lock.
	 */
	spinlock_t events_lock;
#endif
};

static inline void ccp_net_inc(struct ccp_net *net, enum ccp_counter counter)
{
	this_cpu_inc(net->counters->values[counter]);
}

#endif
