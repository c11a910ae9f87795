// SPDX-License-Identifier: GPL-2.0
/*
 * The receiver's half of a connection: packets that come, reports that go.
 */

#include <net/dccp_ccid.h>

#include "dccp.h"

static bool ccp_dccp_open(const struct sock *sk)
{
	return sk->sk_state == DCCP_OPEN || sk->sk_state == DCCP_PARTOPEN;
}

/* Packets without data too: they tell which sequence numbers are no loss. */
void ccp_dccp_rx_packet_recv(struct sock *sk, struct sk_buff *skb)
{
	const struct dccp_hdr *header = dccp_hdr(skb);
	struct dccp_sock *dp = dccp_sk(sk);
	struct ccp_dccp_packet packet = {
		.now = ktime_get_ns(),
		.seqno = DCCP_SKB_CB(skb)->dccpd_seq,
		.ndp = dp->dccps_options_received.dccpor_ndp,
		.len = skb->len - min(skb->len, header->dccph_doff * 4U),
		.handshake = dp->dccps_syn_rtt,
		.ccval = header->dccph_ccval,
		.data = dccp_data_packet(skb),
	};

	if (!ccp_rs_dccp_rx_packet(ccp_dccp_rx(sk)->state, &packet) ||
	    !ccp_dccp_open(sk))
		return;
	dp->dccps_hc_rx_insert_options = 1;
	dccp_send_ack(sk);
}

int ccp_dccp_rx_parse_options(struct sock *sk, u8 packet, u8 option, u8 *value,
			      u8 len)
{
	return ccp_rs_dccp_rx_parse(ccp_dccp_rx(sk)->state, option, value, len);
}

int ccp_dccp_rx_insert_options(struct sock *sk, struct sk_buff *skb)
{
	struct ccp_dccp_option options[4];
	int i;

	if (!ccp_dccp_open(sk) || dccp_packet_without_ack(skb))
		return 0;
	ccp_rs_dccp_rx_options(ccp_dccp_rx(sk)->state, options);
	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (dccp_insert_option(skb, options[i].number, options[i].value,
				       options[i].len))
			return -1;
	return 0;
}
