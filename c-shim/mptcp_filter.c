// SPDX-License-Identifier: GPL-2.0
/*
 * Which events of genl family "mptcp" each netlink socket wants.
 *
 * By the socket's address, which nobody else can have as long as the entry
 * holds the socket. Most sockets never choose and have none.
 */

#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/sock.h>

#include "mptcp_netlink.h"

struct ccp_mptcp_wish {
	struct rcu_head rcu;
	struct hlist_node node;	/* among those with that port, under the mutex */
	struct sock *socket;	/* held */
	u32 port;
	u16 wanted;		/* bits; written under the mutex, read without */
};

/* Entries by socket. Looked up under RCU, changed under the mutex. */
static DEFINE_XARRAY(ccp_mptcp_filters);
/* The same by port, as the end of a socket is told. Under the mutex. */
static DEFINE_HASHTABLE(ccp_mptcp_filter_ports, 8);
static DEFINE_MUTEX(ccp_mptcp_filters_mutex);

/**
 * ccp_mptcp_wanted() - which events a socket wants
 * @socket: a netlink socket
 *
 * Any context.
 *
 * Return: bits of events.
 */
u16 ccp_mptcp_wanted(const struct sock *socket)
{
	const struct ccp_mptcp_wish *wish;
	u16 wanted;

	rcu_read_lock();
	wish = xa_load(&ccp_mptcp_filters, (unsigned long)socket);
	wanted = wish ? READ_ONCE(wish->wanted) : ccp_rs_mptcp_filter_default();
	rcu_read_unlock();
	return wanted;
}

static int ccp_mptcp_filter_add(struct sock *socket, u32 port, u16 wanted)
{
	struct ccp_mptcp_wish *wish = kzalloc(sizeof(*wish), GFP_KERNEL_ACCOUNT);
	int err;

	if (!wish)
		return -ENOMEM;
	wish->socket = socket;
	wish->port = port;
	wish->wanted = wanted;
	err = xa_err(xa_store(&ccp_mptcp_filters, (unsigned long)socket, wish,
			      GFP_KERNEL_ACCOUNT));
	if (err) {
		kfree(wish);
		return err;
	}
	sock_hold(socket);
	hash_add(ccp_mptcp_filter_ports, &wish->node, port);
	return 0;
}

/**
 * ccp_mptcp_want() - choose what a socket wants
 * @socket: the netlink socket, which is in use by the caller
 * @port: its port
 * @wanted: bits of events
 *
 * May sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int ccp_mptcp_want(struct sock *socket, u32 port, u16 wanted)
{
	struct ccp_mptcp_wish *wish;
	int err = 0;

	mutex_lock(&ccp_mptcp_filters_mutex);
	wish = xa_load(&ccp_mptcp_filters, (unsigned long)socket);
	if (wish)
		WRITE_ONCE(wish->wanted, wanted);
	else
		err = ccp_mptcp_filter_add(socket, port, wanted);
	mutex_unlock(&ccp_mptcp_filters_mutex);
	return err;
}

static void ccp_mptcp_filter_remove(struct ccp_mptcp_wish *wish)
{
	xa_erase(&ccp_mptcp_filters, (unsigned long)wish->socket);
	hash_del(&wish->node);
	sock_put(wish->socket);
	kfree_rcu(wish, rcu);
}

/* A netlink socket was closed. Another one may have its port by now. */
static int ccp_mptcp_released(struct notifier_block *block, unsigned long event,
			      void *data)
{
	const struct netlink_notify *notify = data;
	struct ccp_mptcp_wish *wish;
	struct hlist_node *next;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	mutex_lock(&ccp_mptcp_filters_mutex);
	hash_for_each_possible_safe(ccp_mptcp_filter_ports, wish, next, node,
				    notify->portid)
		if (wish->port == notify->portid &&
		    net_eq(sock_net(wish->socket), notify->net) &&
		    sock_flag(wish->socket, SOCK_DEAD))
			ccp_mptcp_filter_remove(wish);
	mutex_unlock(&ccp_mptcp_filters_mutex);
	return NOTIFY_DONE;
}

static struct notifier_block ccp_mptcp_notifier = {
	.notifier_call = ccp_mptcp_released,
};

/**
 * ccp_mptcp_filters_register() - forget sockets when they are closed
 *
 * Return: 0 or a negative errno.
 */
int ccp_mptcp_filters_register(void)
{
	return netlink_register_notifier(&ccp_mptcp_notifier);
}

/**
 * ccp_mptcp_filters_unregister() - forget all; no event is sent any more
 */
void ccp_mptcp_filters_unregister(void)
{
	struct ccp_mptcp_wish *wish;
	unsigned long index;

	netlink_unregister_notifier(&ccp_mptcp_notifier);
	xa_for_each(&ccp_mptcp_filters, index, wish)
		ccp_mptcp_filter_remove(wish);
}
