/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CCID 5 of DCCP: a half-connection of one of its sockets, and what Rust makes
 * of it. Built only for kernels that let modules have CCIDs.
 *
 * The sender (tx) or receiver (rx) in @state belongs to who holds the socket's
 * lock. The memory outlives the half-connection by an RCU grace period: a timer
 * that was about to run finds @dead set once it has the lock.
 */
#ifndef _CCP_DCCP_H
#define _CCP_DCCP_H

#include <linux/hrtimer.h>
#include <linux/timer.h>
#include <linux/types.h>

#include <uapi/linux/ccp_dccp.h>

struct net;
struct sk_buff;
struct sock;

struct ccp_dccp_half {
	struct sock *sk;		/* timers hold it while they are pending */
	struct hrtimer pace;		/* tx: the next packet may go */
	struct timer_list nofeedback;	/* tx */
	struct rcu_head rcu;
	u32 id;				/* in the table of all */
	u32 admitted;			/* tx: N that counts towards the bounds */
	uid_t uid;			/* tx: as whose */
	bool rx;
	bool dead;			/* under the socket's lock */
	u64 state[];			/* Rust: multfrc::Sender, multfrc::Receiver */
};

/* rust/core/multfrc/info.rs */
struct ccp_dccp_sender {
	u64 x;
	u64 x_recv;
	u64 x_calc;
	u64 x_inst;
	u64 rtt;
	u64 rto;
	u64 ipi;
	u64 interval;
	u32 p;
	u32 size;
	u32 flows;
	u32 lost;
	u32 state;
	u32 pad;
};

struct ccp_dccp_receiver {
	u64 x_recv;
	u64 rtt;
	u64 interval;
	u64 events;
	u64 lost_total;
	u32 p;
	u32 size;
	u32 flows;
	u32 lost;
	u32 state;
	u32 pad;
};

/* rust/core/multfrc/wire.rs */
struct ccp_dccp_option {
	u8 number;
	u8 len;
	u8 value[6];
};

/* A packet that came. */
struct ccp_dccp_packet {
	u64 now;		/* ns */
	u64 seqno;
	u64 ndp;
	u32 len;
	u32 handshake;		/* us; 0: unknown */
	u8 ccval;
	u8 data;
	u8 pad[6];
};

struct ccp_dccp_timers {
	u64 send;
	u64 expire;		/* U64_MAX: not armed */
};

/* What the N of senders add up to and may, in 2^-16. */
struct ccp_dccp_sums {
	u64 all;
	u64 user;
	u32 all_most;
	u32 user_most;
};

/* The largest N, in 2^-16. */
#define CCP_DCCP_MOST_FLOWS	(64 << 16)

static_assert(sizeof(struct ccp_dccp_sender) == 88);
static_assert(sizeof(struct ccp_dccp_receiver) == 64);
static_assert(sizeof(struct ccp_dccp_option) == 8);
static_assert(sizeof(struct ccp_dccp_packet) == 40);
static_assert(sizeof(struct ccp_dccp_sums) == 24);
static_assert(sizeof(struct ccp_dccp_tx_info) == 72);
static_assert(offsetof(struct ccp_dccp_tx_info, flows) == 36);
static_assert(sizeof(struct ccp_dccp_rx_info) == 56);

/* dccp.c */
int ccp_dccp_register(void);
void ccp_dccp_unregister(void);
bool ccp_dccp_debug(void);

/* dccp_half.c: half-connections, all of them in a table */
struct ccp_dccp_half *ccp_dccp_half_new(struct sock *sk, bool rx);
void ccp_dccp_half_free(struct ccp_dccp_half *half);
void ccp_dccp_half_show(struct ccp_dccp_half *half);
struct ccp_dccp_half *ccp_dccp_half_next(struct net *net, u32 *id);
void ccp_dccp_half_put(struct ccp_dccp_half *half);

/* dccp_params.c */
u32 ccp_dccp_number(void);
u32 ccp_dccp_rto_min_ms(void);
u32 ccp_dccp_param_flows(void);
u32 ccp_dccp_millionths(u32 value);
u32 ccp_dccp_max_flows(void);
u32 ccp_dccp_user_flows(void);
bool ccp_dccp_tfrc(void);

/* dccp_flows.c: sums of N */
int ccp_dccp_admit(struct ccp_dccp_half *half, u32 flows);
void ccp_dccp_release(struct ccp_dccp_half *half);

/* dccp_net.c */
int ccp_dccp_net_register(void);
void ccp_dccp_net_unregister(void);
u32 ccp_dccp_default_flows(struct net *net);

/* dccp_tx.c, dccp_rx.c: the hooks */
struct ccp_dccp_half *ccp_dccp_tx(const struct sock *sk);
struct ccp_dccp_half *ccp_dccp_rx(const struct sock *sk);
int ccp_dccp_tx_start(struct ccp_dccp_half *half);
void ccp_dccp_tx_stop(struct ccp_dccp_half *half);
int ccp_dccp_set_flows(struct ccp_dccp_half *half, u32 flows);
int ccp_dccp_tx_send_packet(struct sock *sk, struct sk_buff *skb);
void ccp_dccp_tx_packet_sent(struct sock *sk, unsigned int len);
void ccp_dccp_tx_packet_recv(struct sock *sk, struct sk_buff *skb);
int ccp_dccp_tx_parse_options(struct sock *sk, u8 packet, u8 option, u8 *value,
			      u8 len);
int ccp_dccp_tx_insert_options(struct sock *sk, struct sk_buff *skb);
void ccp_dccp_rx_packet_recv(struct sock *sk, struct sk_buff *skb);
int ccp_dccp_rx_parse_options(struct sock *sk, u8 packet, u8 option, u8 *value,
			      u8 len);
int ccp_dccp_rx_insert_options(struct sock *sk, struct sk_buff *skb);

/* dccp_info.c: what is told of half-connections */
void ccp_dccp_tx_info(const struct ccp_dccp_half *half,
		      struct ccp_dccp_tx_info *info);
void ccp_dccp_rx_info(const struct ccp_dccp_half *half,
		      struct ccp_dccp_rx_info *info);
int ccp_dccp_proc_init(struct net *net);
void ccp_dccp_proc_exit(struct net *net);

/* rust/dccp_hook.rs; the socket's lock is held */
size_t ccp_rs_dccp_tx_size(void);
size_t ccp_rs_dccp_rx_size(void);
int ccp_rs_dccp_flows(const char *text, size_t len, u32 most, u32 *flows);
int ccp_rs_dccp_admit(struct ccp_dccp_sums *sums, u32 old_flows, u32 new_flows);
void ccp_rs_dccp_release(struct ccp_dccp_sums *sums, u32 flows);
int ccp_rs_dccp_tx_init(void *sender, u32 flows, u64 rto_min_ns, bool tfrc);
int ccp_rs_dccp_tx_weight(void *sender, u32 flows);
s64 ccp_rs_dccp_tx_send(void *sender, u64 now, u32 len, u32 handshake, u8 *ccval);
void ccp_rs_dccp_tx_sent(void *sender, u64 now, u64 seqno, u32 len);
bool ccp_rs_dccp_tx_option(const void *sender, struct ccp_dccp_option *option);
int ccp_rs_dccp_tx_parse(void *sender, u8 number, const u8 *value, u8 len);
bool ccp_rs_dccp_tx_feedback(void *sender, u64 now, u64 seqno, u64 elapsed);
void ccp_rs_dccp_tx_discard(void *sender);
bool ccp_rs_dccp_tx_expired(void *sender, u64 now);
void ccp_rs_dccp_tx_timers(const void *sender, struct ccp_dccp_timers *timers);
u64 ccp_rs_dccp_tx_window(const void *sender);
void ccp_rs_dccp_tx_info(const void *sender, struct ccp_dccp_sender *info);
void ccp_rs_dccp_rx_init(void *receiver, bool tfrc);
bool ccp_rs_dccp_rx_packet(void *receiver, const struct ccp_dccp_packet *packet);
int ccp_rs_dccp_rx_parse(void *receiver, u8 number, const u8 *value, u8 len);
void ccp_rs_dccp_rx_options(const void *receiver, struct ccp_dccp_option options[4]);
void ccp_rs_dccp_rx_info(const void *receiver, struct ccp_dccp_receiver *info);

#endif
