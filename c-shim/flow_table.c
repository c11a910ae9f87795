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

/* Drops the reference of @sk unless it is still the socket of flow @id. */
static bool ccp_flow_confirm(struct sock *sk, struct ccp_net *net, u64 id)
{
	u64 id_now;

	lock_sock(sk);
	if (ccp_tcp_flow(sk, net, &id_now) && id_now == id)
		return true;
	release_sock(sk);
	sock_put(sk);
	return false;
}

/**
 * ccp_flow_lock() - lock the socket of a flow
 * @net: the namespace to look in
 * @id: the flow's id
 *
 * May sleep.
 *
 * Return: the locked socket, for ccp_flow_unlock(), or NULL without such a
 * flow.
 */
struct sock *ccp_flow_lock(struct ccp_net *net, u64 id)
{
	struct sock *sk;

	rcu_read_lock();
	sk = xa_load(&net->flows.objects, id);
	if (sk && !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();

	return sk && ccp_flow_confirm(sk, net, id) ? sk : NULL;
}

/**
 * ccp_flow_lock_next() - lock the socket of the flow with the smallest id
 * @net: the namespace to look in
 * @id: ids below this one don't count; set to the id found
 *
 * May sleep. Flows that come and go meanwhile are seen or not; every other is
 * met once if @id goes up by one from call to call.
 *
 * Return: the locked socket, for ccp_flow_unlock(), or NULL at the end.
 */
struct sock *ccp_flow_lock_next(struct ccp_net *net, u64 *id)
{
	unsigned long index = *id;
	struct sock *sk;

	for (;; index++) {
		rcu_read_lock();
		sk = xa_find(&net->flows.objects, &index, ULONG_MAX, XA_PRESENT);
		if (!sk) {
			rcu_read_unlock();
			return NULL;
		}
		if (!refcount_inc_not_zero(&sk->sk_refcnt))
			sk = NULL;
		rcu_read_unlock();

		if (sk && ccp_flow_confirm(sk, net, index)) {
			*id = index;
			return sk;
		}
		cond_resched();
	}
}

/**
 * ccp_flow_unlock() - done with what ccp_flow_lock() or its like returned
 * @sk: the socket
 */
void ccp_flow_unlock(struct sock *sk)
{
	release_sock(sk);
	sock_put(sk);
}
