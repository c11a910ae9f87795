/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Socket options (level SOL_DCCP) of CCID 5, MulTFRC. Other than the options
 * of DCCP itself they exist once the handshake is over.
 */
#ifndef _UAPI_LINUX_CCP_DCCP_H
#define _UAPI_LINUX_CCP_DCCP_H

#include <linux/types.h>

/* Get, of a receiver: struct ccp_dccp_rx_info, DCCP_SOCKOPT_CCID_RX_INFO. */
#define CCP_DCCP_RX_INFO	128
/* Get, of a sender: struct ccp_dccp_tx_info, DCCP_SOCKOPT_CCID_TX_INFO. */
#define CCP_DCCP_TX_INFO	192
/*
 * Get and set, of a sender: N in 2^-16, a __u32 above 0, at most 64 << 16. It
 * is the flow's until its end: -EBUSY once a packet was sent, -ERANGE for other
 * values, -ENOSPC when the sum of all N would exceed ccid5_max_flows, or that of
 * the user ccid5_user_flows.
 */
#define CCP_DCCP_FLOWS		193

/* Begins like struct tfrc_tx_info of CCID 3. */
struct ccp_dccp_tx_info {
	__u64 x;		/* allowed rate, 1/64 byte/s */
	__u64 x_recv;		/* receive rate last reported, 1/64 byte/s */
	__u32 x_calc;		/* rate of the equation, bytes/s */
	__u32 rtt;		/* us */
	__u32 p;		/* loss event rate, 10^-6 */
	__u32 rto;		/* nofeedback timer, us */
	__u32 ipi;		/* time between packets, us */
	__u32 flows;		/* N, in 2^-16 */
	__u32 lost;		/* j, in 2^-16; 0 before the first loss */
	__u32 size;		/* average packet, bytes */
	__u64 interval;		/* 1/p, in 2^-16; 0 before the first loss */
	__u64 ipi_ns;		/* time between packets, ns */
	__u32 state;		/* 0 nothing sent, 1 no report came, 2 reports */
	__u32 reserved;
};

/* Begins like struct tfrc_rx_info of CCID 3. */
struct ccp_dccp_rx_info {
	__u32 x_recv;		/* receive rate last reported, bytes/s */
	__u32 rtt;		/* us */
	__u32 p;		/* loss event rate, 10^-6 */
	__u32 flows;		/* N as the sender told, in 2^-16 */
	__u32 lost;		/* j, in 2^-16; 0 before the first loss */
	__u32 size;		/* average packet, bytes */
	__u64 interval;		/* 1/p, in 2^-16; 0 before the first loss */
	__u64 events;		/* loss events */
	__u64 lost_total;	/* packets lost */
	__u32 state;		/* 0 nothing received, 1 nothing lost, 2 losses */
	__u32 reserved;
};

#endif
