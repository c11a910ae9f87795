// SPDX-License-Identifier: GPL-2.0
/*
 * The sender's half of a connection: packets that ask to go, reports, timers.
 *
 * A pending timer holds a reference to the socket, so that the last one is
 * never put while a timer is pending. Both timers run in softirqs, for whose
 * end ccid_unregister() waits.
 */

#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <net/dccp_ccid.h>

#include "dccp.h"
#include "dccp_trace.h"

/* dccpor_elapsed_time is in units of 10 us. */
#define CCP_DCCP_ELAPSED_NS	10000ULL
/*
 * A timer that has longer to wait looks in between: a socket that was closed
 * would be held until then.
 */
#define CCP_DCCP_TIMER_NS	((u64)NSEC_PER_SEC)

/* The packet that waits asks again, in the tasklet that DCCP has for that. */
static enum hrtimer_restart ccp_dccp_pace(struct hrtimer *timer)
{
	struct ccp_dccp_half *half = container_of(timer, struct ccp_dccp_half, pace);
	struct sock *sk = half->sk;
	struct tasklet_struct *tasklet = &dccp_sk(sk)->dccps_xmitlet;

	/* The reference is the tasklet's now. */
	if (!test_and_set_bit(TASKLET_STATE_SCHED, &tasklet->state))
		__tasklet_schedule(tasklet);
	else
		sock_put(sk);
	return HRTIMER_NORESTART;
}

static void ccp_dccp_arm_pace(struct ccp_dccp_half *half, u64 ns)
{
	/* One that was pending passes its reference on. */
	if (hrtimer_try_to_cancel(&half->pace) != 1)
		sock_hold(half->sk);
	hrtimer_start(&half->pace, ns_to_ktime(min(ns, CCP_DCCP_TIMER_NS)),
		      HRTIMER_MODE_REL_SOFT);
}

static void ccp_dccp_arm_nofeedback(struct ccp_dccp_half *half, u64 now, u64 due)
{
	u64 ns = due > now ? due - now : 0;

	if (due == U64_MAX || half->sk->sk_state == DCCP_CLOSED)
		return;
	sk_reset_timer(half->sk, &half->nofeedback,
		       jiffies + nsecs_to_jiffies(min(ns, CCP_DCCP_TIMER_NS)) + 1);
}

/* After anything that may have changed the rate. */
static void ccp_dccp_arm(struct ccp_dccp_half *half, u64 now)
{
	struct ccp_dccp_timers timers;

	ccp_rs_dccp_tx_timers(half->state, &timers);
	ccp_dccp_arm_nofeedback(half, now, timers.expire);
	if (!skb_queue_empty(&half->sk->sk_write_queue))
		ccp_dccp_arm_pace(half, timers.send > now ? timers.send - now : 1);
}

static void ccp_dccp_log(const struct ccp_dccp_half *half, const char *what)
{
	struct ccp_dccp_tx_info info;

	if (likely(!ccp_dccp_debug()))
		return;
	ccp_dccp_tx_info(half, &info);
	pr_info("ccp_rs: ccid5 %u %s: x=%llu x_recv=%llu rtt=%u p=%u j=%u\n",
		half->id, what, info.x >> 6, info.x_recv >> 6, info.rtt, info.p,
		info.lost);
}

static void ccp_dccp_nofeedback(struct timer_list *timer)
{
	struct ccp_dccp_half *half = from_timer(half, timer, nofeedback);
	struct sock *sk = half->sk;
	u64 now;

	bh_lock_sock(sk);
	if (half->dead)
		goto out;
	if (sock_owned_by_user(sk)) {
		sk_reset_timer(sk, timer, jiffies + 1);
		goto out;
	}
	now = ktime_get_ns();
	if (ccp_rs_dccp_tx_expired(half->state, now))
		ccp_dccp_log(half, "nofeedback");
	ccp_dccp_arm(half, now);
out:
	bh_unlock_sock(sk);
	sock_put(sk);
}

/**
 * ccp_dccp_tx_start() - a half-connection of a sender begins
 *
 * Return: 0 or a negative errno.
 */
int ccp_dccp_tx_start(struct ccp_dccp_half *half)
{
	u32 flows = ccp_dccp_default_flows(sock_net(half->sk));
	int err = ccp_dccp_admit(half, flows);

	if (err)
		return err;
	hrtimer_init(&half->pace, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	half->pace.function = ccp_dccp_pace;
	timer_setup(&half->nofeedback, ccp_dccp_nofeedback, 0);
	err = ccp_rs_dccp_tx_init(half->state, flows, (u64)NSEC_PER_MSEC *
				  ccp_dccp_rto_min_ms(), ccp_dccp_tfrc());
	if (err)
		ccp_dccp_release(half);
	return err;
}

/**
 * ccp_dccp_set_flows() - its N is chosen
 * @half: a sender whose socket is locked
 * @flows: N in 2^-16
 *
 * Return: 0, -EBUSY once it has sent something, or as ccp_dccp_admit().
 */
int ccp_dccp_set_flows(struct ccp_dccp_half *half, u32 flows)
{
	u32 before = half->admitted;
	int err = ccp_rs_dccp_tx_weight(half->state, flows);

	if (err)
		return err;
	err = ccp_dccp_admit(half, flows);
	/* It has sent nothing, so it takes its old N back. */
	if (err)
		ccp_rs_dccp_tx_weight(half->state, before);
	return err;
}

/**
 * ccp_dccp_tx_stop() - it ends
 */
void ccp_dccp_tx_stop(struct ccp_dccp_half *half)
{
	if (hrtimer_try_to_cancel(&half->pace) == 1)
		__sock_put(half->sk);
	sk_stop_timer(half->sk, &half->nofeedback);
	ccp_dccp_release(half);
}

/* A packet asks to go. */
int ccp_dccp_tx_send_packet(struct sock *sk, struct sk_buff *skb)
{
	struct ccp_dccp_half *half = ccp_dccp_tx(sk);
	struct dccp_sock *dp = dccp_sk(sk);
	struct ccp_dccp_option option;
	u8 ccval;
	s64 wait = ccp_rs_dccp_tx_send(half->state, ktime_get_ns(), skb->len,
				       dp->dccps_syn_rtt, &ccval);

	if (wait < 0)
		return -EBADMSG;
	if (wait > 0) {
		/*
		 * close() waits for the queue to drain, but only for CCIDs that
		 * count in milliseconds.
		 */
		if (sk->sk_shutdown & SEND_SHUTDOWN)
			return clamp_t(s64, DIV_ROUND_UP_ULL(wait, NSEC_PER_MSEC),
				       1, CCID_PACKET_DELAY_MAX);
		ccp_dccp_arm_pace(half, wait);
		return CCID_PACKET_WILL_DEQUEUE_LATER;
	}
	DCCP_SKB_CB(skb)->dccpd_ccval = ccval;
	dp->dccps_hc_tx_insert_options = ccp_rs_dccp_tx_option(half->state, &option);
	return CCID_PACKET_SEND_AT_ONCE;
}

/* It went. */
void ccp_dccp_tx_packet_sent(struct sock *sk, unsigned int len)
{
	struct ccp_dccp_half *half = ccp_dccp_tx(sk);
	struct ccp_dccp_timers before, after;
	u64 now = ktime_get_ns();

	ccp_rs_dccp_tx_timers(half->state, &before);
	ccp_rs_dccp_tx_sent(half->state, now, dccp_sk(sk)->dccps_gss, len);
	ccp_rs_dccp_tx_timers(half->state, &after);
	if (after.expire != before.expire)
		ccp_dccp_arm_nofeedback(half, now, after.expire);
	trace_ccp_dccp_sent(half, len);
}

/* For the option on the packet that goes now: N. */
int ccp_dccp_tx_insert_options(struct sock *sk, struct sk_buff *skb)
{
	struct ccp_dccp_option option;

	if (!ccp_rs_dccp_tx_option(ccp_dccp_tx(sk)->state, &option))
		return 0;
	return dccp_insert_option(skb, option.number, option.value, option.len);
}

int ccp_dccp_tx_parse_options(struct sock *sk, u8 packet, u8 option, u8 *value,
			      u8 len)
{
	/* RFC 4342, section 8: not on packets without acknowledgment. */
	if (packet == DCCP_PKT_DATA)
		return 0;
	return ccp_rs_dccp_tx_parse(ccp_dccp_tx(sk)->state, option, value, len);
}

/*
 * The peer drops what is further ahead than the sequence window, and what
 * acknowledges packets that are further back (RFC 4340, section 7.5.2).
 */
static void ccp_dccp_open_window(struct sock *sk, const struct ccp_dccp_half *half)
{
	u64 want = ccp_rs_dccp_tx_window(half->state);
	u64 have = dccp_sk(sk)->dccps_l_seq_win;

	/* A new request would void the answer that is on its way. */
	if (dccp_feat_nn_get(sk, DCCPF_SEQUENCE_WINDOW) != have)
		inet_csk_schedule_ack(sk);	/* it may have been lost */
	else if (want > have)
		dccp_feat_signal_nn_change(sk, DCCPF_SEQUENCE_WINDOW, want);
}

/* A packet came; its options were parsed before. */
void ccp_dccp_tx_packet_recv(struct sock *sk, struct sk_buff *skb)
{
	const struct dccp_skb_cb *cb = DCCP_SKB_CB(skb);
	struct ccp_dccp_half *half = ccp_dccp_tx(sk);
	u64 now, elapsed;

	if (cb->dccpd_type != DCCP_PKT_ACK && cb->dccpd_type != DCCP_PKT_DATAACK) {
		ccp_rs_dccp_tx_discard(half->state);
		return;
	}
	now = ktime_get_ns();
	elapsed = dccp_sk(sk)->dccps_options_received.dccpor_elapsed_time;
	if (!ccp_rs_dccp_tx_feedback(half->state, now, cb->dccpd_ack_seq,
				     elapsed * CCP_DCCP_ELAPSED_NS))
		return;
	ccp_dccp_log(half, "report");
	ccp_dccp_open_window(sk, half);
	ccp_dccp_arm(half, now);
	sk->sk_write_space(sk);
}
