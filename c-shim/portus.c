// SPDX-License-Identifier: GPL-2.0
/*
 * Portus clients on NETLINK_USERSOCK. They listen to group 22, say nothing
 * before they were called, and send to port 0, which is a socket of ours in
 * every network namespace.
 *
 * That protocol is the netlink core's: what we would say of bind() and of groups
 * isn't asked. So a worker calls for new clients all the time, one for all
 * namespaces, see ccp_portus_announce(). They end by NETLINK_URELEASE, as other
 * agents (netlink.c).
 */

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/netns/generic.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "portus.h"
#include "trace.h"

#define CCP_PORTUS_GROUP	22
/* From one pass of the watch to the next: with clients, and without. */
#define CCP_PORTUS_WATCH	(HZ / 5)
#define CCP_PORTUS_IDLE		HZ

/* What net_generic() keeps. */
struct ccp_portus_net {
	struct net *net;
	struct sock __rcu *sk;
	struct sock *closing;
	/* Under ccp_portus_nets_lock. */
	struct list_head list;
	unsigned long pass;	/* in which the watch was here */
};

static unsigned int ccp_portus_id __read_mostly;
/* The namespaces that are watched, those where the watch was last at the end. */
static LIST_HEAD(ccp_portus_nets);
/*
 * Held while the watch is in one namespace, which can't go then. Outside of the
 * namespace's command lock.
 */
static DEFINE_MUTEX(ccp_portus_nets_lock);
/* Calls of ccp_portus_input() under way. */
static atomic_t ccp_portus_inputs = ATOMIC_INIT(0);

/**
 * ccp_portus_request() - have a message of a client handled
 * @caller: the client, of this network namespace and with CAP_NET_ADMIN there
 * @message: the message
 * @len: its length
 *
 * Return: what the client is told if it can be told something.
 */
int ccp_portus_request(const struct ccp_caller *caller, const void *message,
		       u32 len)
{
	struct ccp_error error = {};
	int err;

	err = ccp_rs_portus_message(caller, message, len, &error);
	/* Portus takes no errors, so people find it here. */
	if (err)
		net_notice_ratelimited("ccp_rs: Portus client (port %u): %s (%d)\n",
				       caller->port, error.text, err);
	return err;
}

/* A datagram to port 0, in its sender's context. */
static void ccp_portus_message(struct sk_buff *skb)
{
	const struct nlmsghdr *header = nlmsg_hdr(skb);
	struct ccp_caller caller = {
		.socket = NETLINK_CB(skb).sk,
		.port = NETLINK_CB(skb).portid,
		.wire = CCP_WIRE_PORTUS_NETLINK,
	};

	caller.state = ccp_net_state(sock_net(caller.socket));
	if (!caller.state)
		return;
	if (!netlink_net_capable(skb, CAP_NET_ADMIN)) {
		ccp_rs_portus_refused(caller.state);
		return;
	}
	/* One message, without type and flags, in one datagram. */
	if (skb->len < NLMSG_HDRLEN || header->nlmsg_len != skb->len ||
	    header->nlmsg_type || header->nlmsg_flags) {
		ccp_rs_portus_refused(caller.state);
		net_notice_ratelimited("ccp_rs: Portus client (port %u): no message of the protocol\n",
				       caller.port);
		return;
	}
	ccp_portus_request(&caller, nlmsg_data(header), nlmsg_len(header));
}

/* ccp_portus_unregister() waits for it. */
static void ccp_portus_input(struct sk_buff *skb)
{
	atomic_inc(&ccp_portus_inputs);
	ccp_portus_message(skb);
	if (atomic_dec_and_test(&ccp_portus_inputs))
		wake_up_var(&ccp_portus_inputs);
}

static struct sk_buff *ccp_portus_skb(const void *message, u32 len, gfp_t gfp)
{
	struct sk_buff *skb = nlmsg_new(len, gfp | __GFP_NOWARN);
	struct nlmsghdr *header;

	if (!skb)
		return NULL;
	header = nlmsg_put(skb, 0, 0, NLMSG_DONE, len, 0);
	if (!header) {
		nlmsg_free(skb);
		return NULL;
	}
	memcpy(nlmsg_data(header), message, len);
	return skb;
}

/**
 * ccp_portus_send() - send a message to a client
 * @wire: how it is spoken to
 * @socket: its socket, held
 * @port: its netlink port
 * @message: the message
 * @len: its length
 *
 * Any context but hard interrupts.
 *
 * Return: 0, or a negative errno when it isn't queued.
 */
int ccp_portus_send(u32 wire, struct sock *socket, u32 port,
		    const void *message, u32 len)
{
	const struct ccp_portus_net *portus;
	struct sk_buff *skb;
	struct sock *sk;
	int err = -ENOTCONN;

	if (wire == CCP_WIRE_PORTUS_DEVICE)
		return ccp_portus_device_send(socket, message, len);
	skb = ccp_portus_skb(message, len, GFP_ATOMIC);
	if (!skb)
		return -ENOMEM;
	/* A socket that is held keeps its namespace. */
	portus = net_generic(sock_net(socket), ccp_portus_id);
	rcu_read_lock();
	sk = rcu_dereference(portus->sk);
	if (sk)
		err = nlmsg_unicast(sk, skb, port);
	else
		nlmsg_free(skb);
	rcu_read_unlock();
	return err;
}

/**
 * ccp_portus_waiting() - whether a client has messages it did not read yet
 * @socket: its socket, held
 */
bool ccp_portus_waiting(const struct sock *socket)
{
	return !skb_queue_empty_lockless(&socket->sk_receive_queue);
}

/**
 * ccp_portus_ends() - the ends of a connection
 * @sk: the flow's socket, locked
 * @ends: filled in; without addresses if they are IPv6
 */
void ccp_portus_ends(const struct sock *sk, struct ccp_portus_ends *ends)
{
	const struct inet_sock *inet = inet_sk(sk);

	*ends = (struct ccp_portus_ends) {
		.local_port = inet->inet_sport,
		.remote_port = inet->inet_dport,
	};
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr))
		return;
#endif
	ends->local = inet->inet_saddr;
	ends->remote = inet->inet_daddr;
}

/* Return: whether the listener is not to be called. */
static int ccp_portus_called(struct sock *sk, struct sk_buff *skb, void *data)
{
	const struct ccp_portus_net *portus = data;
	struct ccp_state *state = ccp_net_state(portus->net);

	return !state || !net_eq(sock_net(sk), portus->net) ||
	       ccp_rs_portus_known(state, sk);
}

/* Somebody listens, in any namespace: without, a message isn't worth it. */
static bool ccp_portus_listened(const struct ccp_portus_net *portus)
{
	return netlink_has_listeners(rcu_access_pointer(portus->sk),
				     CCP_PORTUS_GROUP);
}

/**
 * ccp_portus_announce() - call those that listen and are no agents
 * @portus: from ccp_rs_portus_watch()
 * @message: what to say
 * @len: its length
 *
 * May sleep.
 */
void ccp_portus_announce(struct ccp_portus_net *portus, const void *message,
			 u32 len)
{
	struct sock *sk = rcu_access_pointer(portus->sk);
	struct sk_buff *skb;

	if (!ccp_portus_listened(portus))
		return;
	skb = ccp_portus_skb(message, len, GFP_KERNEL);
	if (skb)
		netlink_broadcast_filtered(sk, skb, 0, CCP_PORTUS_GROUP,
					   GFP_KERNEL, ccp_portus_called,
					   portus);
}

/*
 * The watch in the next namespace. Return: whether there was one in which it
 * hadn't been in this pass.
 */
static bool ccp_portus_watch_next(unsigned long pass, bool *clients)
{
	struct ccp_portus_net *portus;
	struct ccp_state *state;

	guard(mutex)(&ccp_portus_nets_lock);
	portus = list_first_entry_or_null(&ccp_portus_nets,
					  struct ccp_portus_net, list);
	if (!portus || portus->pass == pass)
		return false;
	portus->pass = pass;
	list_move_tail(&portus->list, &ccp_portus_nets);
	state = ccp_net_state(portus->net);
	if (state && ccp_rs_portus_watch(state, portus))
		*clients = true;
	if (ccp_portus_listened(portus))
		*clients = true;
	return true;
}

static void ccp_portus_watch(struct work_struct *work);
static DECLARE_DELAYED_WORK(ccp_portus_watch_work, ccp_portus_watch);

static void ccp_portus_watch_in(unsigned long delay)
{
	queue_delayed_work(system_power_efficient_wq, &ccp_portus_watch_work,
			   delay);
}

static void ccp_portus_watch(struct work_struct *work)
{
	static unsigned long pass;
	unsigned long start = jiffies;
	bool clients = false;

	pass++;
	while (ccp_portus_watch_next(pass, &clients))
		cond_resched();
	/*
	 * Anybody may have namespaces and listeners: a sixteenth of a
	 * processor's time for them is enough.
	 */
	ccp_portus_watch_in(max(clients ? CCP_PORTUS_WATCH :
					  round_jiffies_relative(CCP_PORTUS_IDLE),
				15 * (jiffies - start)));
}

static int ccp_portus_init(struct net *net)
{
	struct ccp_portus_net *portus = net_generic(net, ccp_portus_id);
	struct netlink_kernel_cfg cfg = {
		.input = ccp_portus_input,
	};
	struct sock *sk;

	sk = netlink_kernel_create(net, NETLINK_USERSOCK, &cfg);
	if (!sk) {
		pr_err("ccp_rs: NETLINK_USERSOCK is another module's\n");
		return -EADDRINUSE;
	}
	portus->net = net;
	rcu_assign_pointer(portus->sk, sk);
	guard(mutex)(&ccp_portus_nets_lock);
	list_add_tail(&portus->list, &ccp_portus_nets);
	return 0;
}

/* A grace period passes between this and ccp_portus_exit(). */
static void ccp_portus_pre_exit(struct net *net)
{
	struct ccp_portus_net *portus = net_generic(net, ccp_portus_id);

	mutex_lock(&ccp_portus_nets_lock);
	list_del(&portus->list);
	mutex_unlock(&ccp_portus_nets_lock);
	portus->closing = rcu_replace_pointer(portus->sk, NULL, true);
}

static void ccp_portus_exit(struct net *net)
{
	struct ccp_portus_net *portus = net_generic(net, ccp_portus_id);

	netlink_kernel_release(portus->closing);
}

static struct pernet_operations ccp_portus_ops = {
	.init = ccp_portus_init,
	.pre_exit = ccp_portus_pre_exit,
	.exit = ccp_portus_exit,
	.id = &ccp_portus_id,
	.size = sizeof(struct ccp_portus_net),
};

/*
 * Waits until no message is being handled. The netlink core calls
 * ccp_portus_input() without a reference to this module: who is about to, or
 * about to return from it, is waited for as tasks that run our code.
 */
static void ccp_portus_drain(void)
{
	synchronize_rcu_tasks();
	wait_var_event(&ccp_portus_inputs, !atomic_read(&ccp_portus_inputs));
	synchronize_rcu_tasks();
}

/**
 * ccp_portus_register() - listen to Portus clients
 *
 * Return: 0 or a negative errno.
 */
int ccp_portus_register(void)
{
	int err;

	err = register_pernet_subsys(&ccp_portus_ops);
	if (!err) {
		err = ccp_portus_device_register();
		if (err)
			unregister_pernet_subsys(&ccp_portus_ops);
	}
	/* It may have worked in some namespaces for a while. */
	if (err)
		ccp_portus_drain();
	else
		ccp_portus_watch_in(0);
	return err;
}

/**
 * ccp_portus_unregister() - undo ccp_portus_register()
 *
 * Returns when no message is being handled any more.
 */
void ccp_portus_unregister(void)
{
	cancel_delayed_work_sync(&ccp_portus_watch_work);
	ccp_portus_device_unregister();
	unregister_pernet_subsys(&ccp_portus_ops);
	ccp_portus_drain();
}
