// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of flows, and from a flow's id to its socket.
 *
 * A flow is in its namespace's table from ccp_tcp_init() to ccp_tcp_release(),
 * both under the socket's lock. The table holds no reference to the socket: a
 * look-up takes one only if the socket still has one, and, as the memory of
 * TCP sockets is reused within a grace period (SLAB_TYPESAFE_BY_RCU), checks
 * under the lock that it is still the flow of that id.
 */

#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "net.h"

static struct kmem_cache *ccp_flows __read_mostly;

/**
 * ccp_flow_cache_create() - prepare for ccp_flow_alloc()
 * @size: bytes of a flow
 * @align: its alignment
 *
 * Return: 0 or -ENOMEM.
 */
int ccp_flow_cache_create(size_t size, size_t align)
{
	/* Not merged with others, so that /proc/slabinfo counts flows. */
	ccp_flows = kmem_cache_create("ccp_flow", size, align,
				      SLAB_ACCOUNT | SLAB_NO_MERGE, NULL);
	return ccp_flows ? 0 : -ENOMEM;
}

/**
 * ccp_flow_cache_destroy() - undo ccp_flow_cache_create(); no flow is left
 */
void ccp_flow_cache_destroy(void)
{
	kmem_cache_destroy(ccp_flows);
}

/**
 * ccp_flow_alloc() - memory for one flow
 *
 * Any context but hard interrupts.
 *
 * Return: uninitialised memory or NULL.
 */
void *ccp_flow_alloc(void)
{
	return kmem_cache_alloc(ccp_flows, GFP_ATOMIC | __GFP_NOWARN);
}

/**
 * ccp_flow_free() - undo ccp_flow_alloc()
 * @flow: the memory
 */
void ccp_flow_free(void *flow)
{
	kmem_cache_free(ccp_flows, flow);
}

/**
 * ccp_flow_insert() - make a flow known
 * @net: its namespace
 * @id: its id
 * @sk: its socket, locked
 *
 * Return: 0 or -ENOMEM.
 */
int ccp_flow_insert(struct ccp_net *net, u64 id, struct sock *sk)
{
	return ccp_table_insert(&net->flows, id, sk);
}

/**
 * ccp_flow_remove() - undo ccp_flow_insert()
 * @net: its namespace
 * @id: its id
 */
void ccp_flow_remove(struct ccp_net *net, u64 id)
{
	ccp_table_remove(&net->flows, id);
}

/**
 * ccp_flow_next() - find the flow with the smallest id
 * @net: the namespace to look in
 * @id: ids below this one don't count; set to the id found
 *
 * May sleep. Flows that come and go meanwhile are seen or not; every other is
 * met once if @id goes up by one from call to call.
 *
 * Return: the socket, unlocked, for ccp_flow_trylock() or ccp_flow_put(), or
 * NULL at the end.
 */
struct sock *ccp_flow_next(struct ccp_net *net, u64 *id)
{
	unsigned long index = *id;
	struct sock *sk;

	cond_resched();
	rcu_read_lock();
	do {
		sk = xa_find(&net->flows.objects, &index, ULONG_MAX, XA_PRESENT);
		*id = index++;
	} while (sk && !refcount_inc_not_zero(&sk->sk_refcnt));
	rcu_read_unlock();
	return sk;
}

/**
 * ccp_flow_put() - done with what ccp_flow_next() returned
 * @sk: the socket, unlocked
 */
void ccp_flow_put(struct sock *sk)
{
	sock_put(sk);
}

/**
 * ccp_flow_trylock() - lock the socket of a flow, unless its process has it
 * @sk: the socket
 * @net: the flow's namespace
 * @id: the flow's id
 *
 * Whoever owns the socket can keep it locked for as long as he likes, by
 * sending from memory that doesn't come: nothing of ours may sleep for that
 * lock. So this takes the lock like the softirq does, and then nothing may
 * sleep at all until ccp_flow_unlock().
 *
 * Return: 0, -EBUSY if the process has it, or -ENOENT if @sk isn't the socket
 * of that flow any more.
 */
int ccp_flow_trylock(struct sock *sk, struct ccp_net *net, u64 id)
{
	int err = -EBUSY;
	u64 id_now;

	local_bh_disable();
	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk)) {
		if (ccp_tcp_flow(sk, net, &id_now) && id_now == id)
			return 0;
		err = -ENOENT;
	}
	bh_unlock_sock(sk);
	local_bh_enable();
	return err;
}

/**
 * ccp_flow_trylock_until() - ccp_flow_trylock(), again and again
 * @sk: the socket
 * @net: the flow's namespace
 * @id: the flow's id
 * @deadline: when to give up, in jiffies; the last try is after it
 *
 * May sleep.
 *
 * Return: as ccp_flow_trylock().
 */
int ccp_flow_trylock_until(struct sock *sk, struct ccp_net *net, u64 id,
			   unsigned long deadline)
{
	int err;

	for (;;) {
		err = ccp_flow_trylock(sk, net, id);
		if (err != -EBUSY || signal_pending(current) ||
		    time_after(jiffies, deadline))
			return err;
		schedule_timeout_interruptible(1);
	}
}

/**
 * ccp_flow_unlock() - undo ccp_flow_trylock() or ccp_flow_lock()
 * @sk: the socket, which is put as well
 */
void ccp_flow_unlock(struct sock *sk)
{
	bh_unlock_sock(sk);
	local_bh_enable();
	sock_put(sk);
}

/**
 * ccp_flow_lock() - find and lock the socket of a flow
 * @net: the namespace to look in
 * @id: the flow's id
 * @found: set to the socket, for ccp_flow_unlock()
 *
 * May sleep, for half a second at most.
 *
 * Return: 0, -ENOENT without such a flow, or -EBUSY if its process keeps it
 * locked.
 */
int ccp_flow_lock(struct ccp_net *net, u64 id, struct sock **found)
{
	struct sock *sk;
	int err;

	rcu_read_lock();
	sk = xa_load(&net->flows.objects, id);
	if (sk && !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();
	if (!sk)
		return -ENOENT;

	err = ccp_flow_trylock_until(sk, net, id, jiffies + HZ / 2);
	if (err)
		sock_put(sk);
	else
		*found = sk;
	return err;
}
