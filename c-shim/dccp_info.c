// SPDX-License-Identifier: GPL-2.0
/*
 * What is told of half-connections: structs of socket options, the tracepoint,
 * and /proc/net/ccp_dccp, a line for each in a network namespace. There an
 * administrator can choose N, too.
 */

#include <linux/capability.h>
#include <linux/kstrtox.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <net/dccp_ccid.h>
#include <net/inet_sock.h>
#include <net/net_namespace.h>

#include "dccp.h"

#define CREATE_TRACE_POINTS
#include "dccp_trace.h"

static u32 ccp_u32(u64 value)
{
	return min_t(u64, value, U32_MAX);
}

static u32 ccp_us(u64 ns)
{
	return ccp_u32(DIV_ROUND_UP_ULL(ns, NSEC_PER_USEC));
}

/**
 * ccp_dccp_tx_info() - a sender, as its socket option tells
 */
void ccp_dccp_tx_info(const struct ccp_dccp_half *half,
		      struct ccp_dccp_tx_info *info)
{
	struct ccp_dccp_sender sender;

	ccp_rs_dccp_tx_info(half->state, &sender);
	*info = (struct ccp_dccp_tx_info) {
		.x = sender.x,
		.x_recv = sender.x_recv,
		.x_calc = ccp_u32(sender.x_calc >> 6),
		.rtt = ccp_us(sender.rtt),
		.p = sender.p / 1000,
		.rto = ccp_us(sender.rto),
		.ipi = ccp_us(sender.ipi),
		.flows = sender.flows,
		.lost = sender.lost,
		.size = sender.size,
		.interval = sender.interval,
		.ipi_ns = sender.ipi,
		.state = sender.state,
	};
}

/**
 * ccp_dccp_rx_info() - a receiver, as its socket option tells
 */
void ccp_dccp_rx_info(const struct ccp_dccp_half *half,
		      struct ccp_dccp_rx_info *info)
{
	struct ccp_dccp_receiver receiver;

	ccp_rs_dccp_rx_info(half->state, &receiver);
	*info = (struct ccp_dccp_rx_info) {
		.x_recv = ccp_u32(receiver.x_recv >> 6),
		.rtt = ccp_us(receiver.rtt),
		.p = receiver.p / 1000,
		.flows = receiver.flows,
		.lost = receiver.lost,
		.size = receiver.size,
		.interval = receiver.interval,
		.events = receiver.events,
		.lost_total = receiver.lost_total,
		.state = receiver.state,
	};
}

/* Walks by id, 0 being before the first; the socket of the one is locked. */
static void *ccp_dccp_proc_find(struct seq_file *file, loff_t *pos)
{
	struct ccp_dccp_half *half;
	u32 id = *pos;

	if (*pos > U32_MAX)
		return NULL;
	half = ccp_dccp_half_next(seq_file_net(file), &id);
	if (half)
		*pos = id;
	return half;
}

static void *ccp_dccp_proc_start(struct seq_file *file, loff_t *pos)
{
	return ccp_dccp_proc_find(file, pos);
}

static void ccp_dccp_proc_stop(struct seq_file *file, void *half)
{
	if (half)
		ccp_dccp_half_put(half);
}

static void *ccp_dccp_proc_next(struct seq_file *file, void *half, loff_t *pos)
{
	ccp_dccp_half_put(half);
	++*pos;
	return ccp_dccp_proc_find(file, pos);
}

static void ccp_dccp_proc_ends(struct seq_file *file, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	u16 local = ntohs(inet->inet_sport), remote = ntohs(inet->inet_dport);

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		seq_printf(file, " local=[%pI6c]:%u remote=[%pI6c]:%u",
			   &sk->sk_v6_rcv_saddr, local, &sk->sk_v6_daddr, remote);
		return;
	}
#endif
	seq_printf(file, " local=%pI4:%u remote=%pI4:%u", &inet->inet_saddr,
		   local, &inet->inet_daddr, remote);
}

static int ccp_dccp_proc_show(struct seq_file *file, void *value)
{
	const struct ccp_dccp_half *half = value;
	struct ccp_dccp_receiver rx;
	struct ccp_dccp_sender tx;

	seq_printf(file, "half=%u dir=%s", half->id, half->rx ? "rx" : "tx");
	ccp_dccp_proc_ends(file, half->sk);
	if (half->rx) {
		ccp_rs_dccp_rx_info(half->state, &rx);
		seq_printf(file, " state=%u n=%u j=%u interval=%llu rtt_ns=%llu s=%u x_recv=%llu events=%llu lost=%llu\n",
			   rx.state, rx.flows, rx.lost, rx.interval, rx.rtt,
			   rx.size, rx.x_recv, rx.events, rx.lost_total);
		return 0;
	}
	ccp_rs_dccp_tx_info(half->state, &tx);
	seq_printf(file, " state=%u n=%u j=%u interval=%llu rtt_ns=%llu s=%u x=%llu x_calc=%llu x_recv=%llu rto_ns=%llu ipi_ns=%llu\n",
		   tx.state, tx.flows, tx.lost, tx.interval, tx.rtt, tx.size,
		   tx.x, tx.x_calc, tx.x_recv, tx.rto, tx.ipi);
	return 0;
}

static const struct seq_operations ccp_dccp_proc_ops = {
	.start	= ccp_dccp_proc_start,
	.next	= ccp_dccp_proc_next,
	.stop	= ccp_dccp_proc_stop,
	.show	= ccp_dccp_proc_show,
};

/* "ID N": the N of a sender that has sent nothing, like 3 0.5. */
static int ccp_dccp_proc_write(struct file *file, char *text, size_t size)
{
	struct net *net = seq_file_net(file->private_data);
	u32 flows, id, found;
	struct ccp_dccp_half *half;
	char *rest, *word;
	int err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (strlen(text) != size)
		return -EINVAL;
	rest = strim(text);
	word = strsep(&rest, " ");
	if (!rest || kstrtou32(word, 10, &id))
		return -EINVAL;
	err = ccp_rs_dccp_flows(rest, strlen(rest), CCP_DCCP_MOST_FLOWS, &flows);
	if (err)
		return err;
	found = id;
	half = ccp_dccp_half_next(net, &found);
	if (!half)
		return -ENOENT;
	if (found != id)
		err = -ENOENT;
	else
		err = half->rx ? -EOPNOTSUPP : ccp_dccp_set_flows(half, flows);
	ccp_dccp_half_put(half);
	return err;
}

int ccp_dccp_proc_init(struct net *net)
{
	return proc_create_net_data_write("ccp_dccp", 0640, net->proc_net,
					  &ccp_dccp_proc_ops, ccp_dccp_proc_write,
					  sizeof(struct seq_net_private), NULL) ?
	       0 : -ENOMEM;
}

void ccp_dccp_proc_exit(struct net *net)
{
	remove_proc_entry("ccp_dccp", net->proc_net);
}
