// SPDX-License-Identifier: GPL-2.0
/*
 * State per network namespace.
 *
 * A namespace's state is a reference-counted Rust object (net::Net) around a
 * struct ccp_net. The namespace holds one reference, every flow another, as
 * sockets of the kernel may live on for a moment after their namespace.
 */

#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "net.h"

/* What net_generic() keeps. */
struct ccp_pernet {
	struct ccp_state __rcu *state;
	struct ccp_state *closing;
};

static unsigned int ccp_pernet_id __read_mostly;
static struct workqueue_struct *ccp_sweeps __read_mostly;

static void ccp_net_sweep_work(struct work_struct *work)
{
	struct ccp_net *net = container_of(work, struct ccp_net, sweep);

	ccp_rs_net_sweep(net->state);
}

static struct ccp_net *ccp_net_alloc(void)
{
	struct ccp_net *net = kzalloc(sizeof(*net), GFP_KERNEL_ACCOUNT);

	if (!net)
		return NULL;
	net->counters = alloc_percpu_gfp(struct ccp_counters,
					 GFP_KERNEL_ACCOUNT);
	if (!net->counters) {
		kfree(net);
		return NULL;
	}
	ccp_table_init(&net->flows);
	ccp_table_init(&net->agents);
	ccp_table_init(&net->programs);
	mutex_init(&net->commands);
	INIT_WORK(&net->sweep, ccp_net_sweep_work);
#ifdef CCP_MPTCP
	net->conns = RB_ROOT;
	spin_lock_init(&net->conns_lock);
	spin_lock_init(&net->events_lock);
#endif
	return net;
}

/**
 * ccp_net_free() - free what ccp_rs_net_open() was given
 * @net: the namespace's struct; no flow, agent or program is left in it
 *
 * Any context but hard interrupts.
 */
void ccp_net_free(struct ccp_net *net)
{
	ccp_table_destroy(&net->flows);
	ccp_table_destroy(&net->agents);
	ccp_table_destroy(&net->programs);
	free_percpu(net->counters);
	kfree(net);
}

static int ccp_pernet_init(struct net *net)
{
	struct ccp_pernet *pernet = net_generic(net, ccp_pernet_id);
	struct ccp_net *shim = ccp_net_alloc();
	struct ccp_state *state;

	if (!shim)
		return -ENOMEM;
	/* Takes it, and frees it on failure. */
	state = ccp_rs_net_open(shim);
	if (!state)
		return -ENOMEM;
	shim->state = state;
	rcu_assign_pointer(pernet->state, state);
	return 0;
}

/* A grace period passes between this and ccp_pernet_exit(). */
static void ccp_pernet_pre_exit(struct net *net)
{
	struct ccp_pernet *pernet = net_generic(net, ccp_pernet_id);

	pernet->closing = rcu_replace_pointer(pernet->state, NULL, true);
}

static void ccp_pernet_exit(struct net *net)
{
	struct ccp_pernet *pernet = net_generic(net, ccp_pernet_id);

	if (!pernet->closing)
		return;
	cancel_work_sync(&ccp_rs_net_shim(pernet->closing)->sweep);
	ccp_rs_net_close(pernet->closing);
}

static struct pernet_operations ccp_pernet_ops = {
	.init = ccp_pernet_init,
	.pre_exit = ccp_pernet_pre_exit,
	.exit = ccp_pernet_exit,
	.id = &ccp_pernet_id,
	.size = sizeof(struct ccp_pernet),
};

/**
 * ccp_net_register() - have state in every namespace, now and later
 *
 * Return: 0 or a negative errno.
 */
int ccp_net_register(void)
{
	int err;

	ccp_sweeps = alloc_workqueue("ccp_sweeps", WQ_UNBOUND, 0);
	if (!ccp_sweeps)
		return -ENOMEM;
	err = register_pernet_subsys(&ccp_pernet_ops);
	if (err)
		destroy_workqueue(ccp_sweeps);
	return err;
}

/**
 * ccp_net_unregister() - undo ccp_net_register(); no flow is left
 */
void ccp_net_unregister(void)
{
	unregister_pernet_subsys(&ccp_pernet_ops);
	destroy_workqueue(ccp_sweeps);
}

/**
 * ccp_net_state() - the state of a namespace
 * @net: the namespace
 *
 * Return: the state, NULL while the namespace goes away. It lasts as long as
 * the RCU read lock is held, or as the caller knows of a socket in @net.
 */
struct ccp_state *ccp_net_state(struct net *net)
{
	const struct ccp_pernet *pernet = net_generic(net, ccp_pernet_id);

	return rcu_dereference_raw(pernet->state);
}

/**
 * ccp_net_agents() - table of agents
 * @net: the namespace
 */
struct ccp_table *ccp_net_agents(struct ccp_net *net)
{
	return &net->agents;
}

/**
 * ccp_net_programs() - table of programs
 * @net: the namespace
 */
struct ccp_table *ccp_net_programs(struct ccp_net *net)
{
	return &net->programs;
}

/**
 * ccp_net_fallback() - the program the namespace chose as its fallback
 * @net: the namespace, its programs locked
 *
 * Return: an Arc<Program>, or NULL for the built-in one.
 */
void *ccp_net_fallback(const struct ccp_net *net)
{
	return net->fallback;
}

/**
 * ccp_net_set_fallback() - choose the fallback program
 * @net: the namespace, its programs locked
 * @program: an Arc<Program> or NULL
 *
 * Return: the one before, which is the caller's now.
 */
void *ccp_net_set_fallback(struct ccp_net *net, void *program)
{
	void *old = net->fallback;

	net->fallback = program;
	return old;
}

/**
 * ccp_net_lock() - keep agents, programs and the fallback as they are
 * @net: the namespace
 *
 * May sleep. Socket locks and table locks nest inside.
 */
void ccp_net_lock(struct ccp_net *net)
{
	mutex_lock(&net->commands);
}

/**
 * ccp_net_unlock() - undo ccp_net_lock()
 * @net: the namespace
 */
void ccp_net_unlock(struct ccp_net *net)
{
	mutex_unlock(&net->commands);
}

/**
 * ccp_net_sweep() - have ccp_rs_net_sweep() called soon, in a worker
 * @net: the namespace
 */
void ccp_net_sweep(struct ccp_net *net)
{
	queue_work(ccp_sweeps, &net->sweep);
}

/**
 * ccp_net_count() - count one event
 * @net: the namespace
 * @counter: an enum ccp_counter
 */
void ccp_net_count(struct ccp_net *net, u32 counter)
{
	if (counter < __CCP_COUNTERS)
		ccp_net_inc(net, counter);
}

/**
 * ccp_net_counter() - what was counted
 * @net: the namespace
 * @counter: an enum ccp_counter
 */
u64 ccp_net_counter(const struct ccp_net *net, u32 counter)
{
	u64 sum = 0;
	int cpu;

	if (counter >= __CCP_COUNTERS)
		return 0;
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(net->counters, cpu)->values[counter]);
	return sum;
}

/**
 * ccp_net_gauge() - number of objects in a namespace now
 * @net: the namespace
 * @gauge: an enum ccp_gauge
 */
u32 ccp_net_gauge(const struct ccp_net *net, u32 gauge)
{
	switch (gauge) {
	case CCP_GAUGE_FLOWS:
		return READ_ONCE(net->flows.count);
	case CCP_GAUGE_AGENTS:
		return READ_ONCE(net->agents.count);
	case CCP_GAUGE_PROGRAMS:
		return READ_ONCE(net->programs.count);
	}
	return 0;
}
