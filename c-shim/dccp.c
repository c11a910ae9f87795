// SPDX-License-Identifier: GPL-2.0
/*
 * CCID 5 as DCCP sees it: its hooks, its socket options. DCCP calls all of them
 * with the socket's lock held, but for the end of a sender: that may be when
 * the last reference to the socket goes, by whoever puts it.
 */

#include <linux/module.h>
#include <linux/tcp.h>
#include <net/dccp_ccid.h>

#include "dccp.h"

/* A half-connection as DCCP allocates it. */
struct ccp_dccp_private {
	struct ccp_dccp_half *half;
};

static struct ccp_dccp_half *ccp_dccp_of(const struct ccid *ccid)
{
	return ((struct ccp_dccp_private *)ccid_priv(ccid))->half;
}

struct ccp_dccp_half *ccp_dccp_tx(const struct sock *sk)
{
	return ccp_dccp_of(dccp_sk(sk)->dccps_hc_tx_ccid);
}

struct ccp_dccp_half *ccp_dccp_rx(const struct sock *sk)
{
	return ccp_dccp_of(dccp_sk(sk)->dccps_hc_rx_ccid);
}

static int ccp_dccp_init(struct ccid *ccid, struct sock *sk, bool rx)
{
	struct ccp_dccp_private *private = ccid_priv(ccid);
	struct ccp_dccp_half *half = ccp_dccp_half_new(sk, rx);
	int err = 0;

	if (!half)
		return -ENOMEM;
	if (rx)
		ccp_rs_dccp_rx_init(half->state, ccp_dccp_tfrc());
	else
		err = ccp_dccp_tx_start(half);
	if (err) {
		ccp_dccp_half_free(half);
		return err;
	}
	ccp_dccp_half_show(half);
	private->half = half;
	return 0;
}

static int ccp_dccp_tx_init(struct ccid *ccid, struct sock *sk)
{
	return ccp_dccp_init(ccid, sk, false);
}

static int ccp_dccp_rx_init(struct ccid *ccid, struct sock *sk)
{
	return ccp_dccp_init(ccid, sk, true);
}

static void ccp_dccp_tx_exit(struct sock *sk)
{
	struct ccp_dccp_half *half = ccp_dccp_tx(sk);

	ccp_dccp_tx_stop(half);
	ccp_dccp_half_free(half);
}

static void ccp_dccp_rx_exit(struct sock *sk)
{
	ccp_dccp_half_free(ccp_dccp_rx(sk));
}

static void ccp_dccp_tx_get_info(struct sock *sk, struct tcp_info *info)
{
	struct ccp_dccp_tx_info tx;

	ccp_dccp_tx_info(ccp_dccp_tx(sk), &tx);
	info->tcpi_rto = tx.rto;
	info->tcpi_rtt = tx.rtt;
}

static void ccp_dccp_rx_get_info(struct sock *sk, struct tcp_info *info)
{
	struct ccp_dccp_rx_info rx;

	ccp_dccp_rx_info(ccp_dccp_rx(sk), &rx);
	info->tcpi_ca_state = rx.state;
	info->tcpi_options |= TCPI_OPT_TIMESTAMPS;
	info->tcpi_rcv_rtt = rx.rtt;
}

/* A reader may know less of a struct than we do: it gets the beginning. */
static int ccp_dccp_give(const void *value, size_t size, int len,
			 u32 __user *optval, int __user *optlen)
{
	len = min_t(int, len, size);
	if (put_user(len, optlen) || copy_to_user(optval, value, len))
		return -EFAULT;
	return 0;
}

static int ccp_dccp_tx_getsockopt(struct sock *sk, const int name, int len,
				  u32 __user *optval, int __user *optlen)
{
	struct ccp_dccp_tx_info info;

	ccp_dccp_tx_info(ccp_dccp_tx(sk), &info);
	switch (name) {
	case CCP_DCCP_TX_INFO:
		return ccp_dccp_give(&info, sizeof(info), len, optval, optlen);
	case CCP_DCCP_FLOWS:
		return ccp_dccp_give(&info.flows, sizeof(info.flows), len,
				     optval, optlen);
	}
	return -ENOPROTOOPT;
}

static int ccp_dccp_rx_getsockopt(struct sock *sk, const int name, int len,
				  u32 __user *optval, int __user *optlen)
{
	struct ccp_dccp_rx_info info;

	if (name != CCP_DCCP_RX_INFO)
		return -ENOPROTOOPT;
	ccp_dccp_rx_info(ccp_dccp_rx(sk), &info);
	return ccp_dccp_give(&info, sizeof(info), len, optval, optlen);
}

static int ccp_dccp_tx_setsockopt(struct sock *sk, int name, sockptr_t optval,
				  unsigned int optlen)
{
	u32 flows;

	if (name != CCP_DCCP_FLOWS)
		return -ENOPROTOOPT;
	if (optlen != sizeof(flows))
		return -EINVAL;
	if (copy_from_sockptr(&flows, optval, sizeof(flows)))
		return -EFAULT;
	return ccp_dccp_set_flows(ccp_dccp_tx(sk), flows);
}

/* RFC 4342, sections 3.1 and 8; those of CCID 3. */
#define CCP_DCCP_RX_DEPENDENCIES {					\
	{ DCCPF_SEND_ACK_VECTOR, .is_local = true, .val = 0 },		\
	{ DCCPF_SEND_LEV_RATE, .is_local = true, .is_mandatory = true,	\
	  .val = 1 },							\
	{ DCCPF_SEND_NDP_COUNT, .is_local = false, .is_mandatory = true, \
	  .val = 1 },							\
}

#define CCP_DCCP_TX_DEPENDENCIES {					\
	{ DCCPF_SEND_ACK_VECTOR, .is_local = false, .val = 0 },		\
	{ DCCPF_SEND_LEV_RATE, .is_local = false, .is_mandatory = true,	\
	  .val = 1 },							\
	{ DCCPF_ACK_RATIO, .is_local = true, .val = 0 },		\
	{ DCCPF_SEND_NDP_COUNT, .is_local = true, .val = 1 },		\
}

static struct ccid_operations ccp_dccp_ops = {
	.ccid_name		= "MulTFRC",
	.ccid_owner		= THIS_MODULE,
	.ccid_deps		= { CCP_DCCP_RX_DEPENDENCIES,
				    CCP_DCCP_TX_DEPENDENCIES },
	.ccid_hc_tx_obj_size	= sizeof(struct ccp_dccp_private),
	.ccid_hc_tx_init	= ccp_dccp_tx_init,
	.ccid_hc_tx_exit	= ccp_dccp_tx_exit,
	.ccid_hc_tx_send_packet	= ccp_dccp_tx_send_packet,
	.ccid_hc_tx_packet_sent	= ccp_dccp_tx_packet_sent,
	.ccid_hc_tx_packet_recv	= ccp_dccp_tx_packet_recv,
	.ccid_hc_tx_parse_options = ccp_dccp_tx_parse_options,
	.ccid_hc_tx_insert_options = ccp_dccp_tx_insert_options,
	.ccid_hc_tx_get_info	= ccp_dccp_tx_get_info,
	.ccid_hc_tx_getsockopt	= ccp_dccp_tx_getsockopt,
	.ccid_hc_tx_setsockopt	= ccp_dccp_tx_setsockopt,
	.ccid_hc_rx_obj_size	= sizeof(struct ccp_dccp_private),
	.ccid_hc_rx_init	= ccp_dccp_rx_init,
	.ccid_hc_rx_exit	= ccp_dccp_rx_exit,
	.ccid_hc_rx_packet_recv	= ccp_dccp_rx_packet_recv,
	.ccid_hc_rx_parse_options = ccp_dccp_rx_parse_options,
	.ccid_hc_rx_insert_options = ccp_dccp_rx_insert_options,
	.ccid_hc_rx_get_info	= ccp_dccp_rx_get_info,
	.ccid_hc_rx_getsockopt	= ccp_dccp_rx_getsockopt,
};

/**
 * ccp_dccp_register() - offer CCID 5 to new connections
 *
 * Return: 0 or a negative errno.
 */
int ccp_dccp_register(void)
{
	int err = ccp_dccp_net_register();

	if (err)
		return err;
	ccp_dccp_ops.ccid_id = ccp_dccp_number();
	err = ccid_register(&ccp_dccp_ops);
	if (err)
		ccp_dccp_net_unregister();
	return err;
}

/**
 * ccp_dccp_unregister() - undo ccp_dccp_register(); there are no connections any
 * more, and no timer of one is left when this returns
 */
void ccp_dccp_unregister(void)
{
	ccid_unregister(&ccp_dccp_ops);
	ccp_dccp_net_unregister();
}
