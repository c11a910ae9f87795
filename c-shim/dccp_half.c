// SPDX-License-Identifier: GPL-2.0
/*
 * Half-connections: their memory, and the table in which they are found.
 */

#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/dccp_ccid.h>

#include "dccp.h"

/* By id. Readers use RCU and then hold the socket. */
static DEFINE_XARRAY_FLAGS(ccp_dccp_halves, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH);
static u32 ccp_dccp_next_id;

/**
 * ccp_dccp_half_new() - a half-connection begins
 * @sk: its socket
 * @rx: whether it is the receiver's half
 *
 * In any context that holds the socket's lock.
 *
 * Return: it, with its Rust part yet to be initialised, or NULL.
 */
struct ccp_dccp_half *ccp_dccp_half_new(struct sock *sk, bool rx)
{
	size_t state = rx ? ccp_rs_dccp_rx_size() : ccp_rs_dccp_tx_size();
	struct ccp_dccp_half *half = kzalloc(sizeof(*half) + state, GFP_ATOMIC);

	if (!half)
		return NULL;
	half->sk = sk;
	half->rx = rx;
	/* Not to be seen before it has its Rust part. */
	if (xa_alloc_cyclic_bh(&ccp_dccp_halves, &half->id, NULL, xa_limit_32b,
			       &ccp_dccp_next_id, GFP_ATOMIC) < 0) {
		kfree(half);
		return NULL;
	}
	return half;
}

/**
 * ccp_dccp_half_show() - put it where ccp_dccp_half_next() finds it
 */
void ccp_dccp_half_show(struct ccp_dccp_half *half)
{
	/* In the place that was reserved for it: allocates nothing. */
	xa_store_bh(&ccp_dccp_halves, half->id, half, GFP_ATOMIC);
}

/**
 * ccp_dccp_half_free() - a half-connection ends
 */
void ccp_dccp_half_free(struct ccp_dccp_half *half)
{
	xa_erase_bh(&ccp_dccp_halves, half->id);
	half->dead = true;
	kfree_rcu(half, rcu);
}

/**
 * ccp_dccp_half_next() - walk through the half-connections of a namespace
 * @net: the namespace
 * @id: the first id that will do; set to the one that is found
 *
 * Return: a half-connection with its socket locked, or NULL at the end. The
 * caller gives both back with ccp_dccp_half_put(). May sleep.
 */
struct ccp_dccp_half *ccp_dccp_half_next(struct net *net, u32 *id)
{
	struct ccp_dccp_half *half;
	unsigned long index = *id;
	struct sock *sk;

	rcu_read_lock();
	xa_for_each_start(&ccp_dccp_halves, index, half, index) {
		sk = half->sk;
		if (!net_eq(sock_net(sk), net) ||
		    !refcount_inc_not_zero(&sk->sk_refcnt))
			continue;
		rcu_read_unlock();
		lock_sock(sk);
		rcu_read_lock();
		/* It may have gone, and its memory too: look again. */
		if (xa_load(&ccp_dccp_halves, index) == half && half->sk == sk) {
			rcu_read_unlock();
			*id = index;
			return half;
		}
		rcu_read_unlock();
		release_sock(sk);
		sock_put(sk);
		rcu_read_lock();
	}
	rcu_read_unlock();
	return NULL;
}

/**
 * ccp_dccp_half_put() - undo ccp_dccp_half_next()
 */
void ccp_dccp_half_put(struct ccp_dccp_half *half)
{
	struct sock *sk = half->sk;

	release_sock(sk);
	sock_put(sk);
}
