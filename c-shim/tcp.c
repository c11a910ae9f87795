// SPDX-License-Identifier: GPL-2.0
/*
 * Congestion control of TCP: flattens what the stack knows, asks Rust, and
 * applies the answer with the stack's own accessors. The names under which it
 * does so are in cong.c.
 *
 * As the ops have cong_control(), the stack itself neither grows the window
 * with ACKs nor reduces it with losses (no PRR, no slow start after idle): the
 * flow's program does. The stack still sets it to the loss window on a
 * retransmission timeout, before the program sees that, and back when a
 * reduction turns out to be spurious.
 */

#include <linux/inet_diag.h>
#include <linux/module.h>
#include <net/tcp.h>

#include "cong.h"
#include "net.h"
#include "trace.h"

/* In the socket. */
struct ccp_priv {
	/* This socket, if it has a flow: a copy of the area has none. */
	const struct sock *owner;
	struct ccp_flow *flow;
	struct ccp_net *net;
	u64 id;
	/* For those who read without the lock. */
	u32 agent;
	u32 program;
	u32 reason;
	u8 ece;			/* of the ACK being processed */
};

static struct ccp_priv *ccp_priv(const struct sock *sk)
{
	return inet_csk_ca(sk);
}

static struct ccp_flow *ccp_flow_of(const struct sock *sk)
{
	const struct ccp_priv *priv = ccp_priv(sk);

	return likely(priv->owner == sk) ? priv->flow : NULL;
}

static bool ccp_ecn_ok(const struct tcp_sock *tp)
{
#ifdef TCP_ECN_MODE_ANY
	return tcp_ecn_mode_any(tp);
#else
	return tp->ecn_flags & TCP_ECN_OK;
#endif
}

/*
 * The stack computes with bytes of window in 32 bits, and no peer can offer
 * more than 1 GiB.
 */
static u32 ccp_cwnd_max(const struct tcp_sock *tp)
{
	return min(tp->snd_cwnd_clamp, (1U << 31) / max(tp->mss_cache, 1U));
}

static u64 ccp_rate(unsigned long rate)
{
	return rate == ~0UL ? U64_MAX : rate;
}

/**
 * ccp_tcp_facts() - what the stack knows about a connection now
 * @sk: the socket, locked
 * @ack: filled in, with an empty rate sample
 */
void ccp_tcp_facts(struct sock *sk, struct ccp_ack *ack)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	*ack = (struct ccp_ack) {
		.now_us = tp->tcp_mstamp,
		.bytes_acked = tp->bytes_acked,
		.pacing_rate = ccp_rate(READ_ONCE(sk->sk_pacing_rate)),
		.max_pacing_rate = ccp_rate(READ_ONCE(sk->sk_max_pacing_rate)),
		.snd_cwnd = tcp_snd_cwnd(tp),
		.snd_cwnd_clamp = ccp_cwnd_max(tp),
		.ssthresh = tp->snd_ssthresh,
		.mss = tp->mss_cache,
		.srtt_us = tp->srtt_us >> 3,
		.min_rtt_us = tcp_min_rtt(tp),
		.in_flight = tcp_packets_in_flight(tp),
		.sacked_out = tp->sacked_out,
		.delivered = tp->delivered,
		.delivered_ce = tp->delivered_ce,
		.lost = tp->lost,
		.write_seq = tp->write_seq,
		.snd_nxt = tp->snd_nxt,
		.ca_state = inet_csk(sk)->icsk_ca_state,
		.ecn_ok = ccp_ecn_ok(tp),
		.cwnd_limited = tcp_is_cwnd_limited(sk),
	};
}

/**
 * ccp_tcp_apply() - set window and pacing rate
 * @sk: the flow's socket, locked
 * @cwnd: window in packets, 0 to leave it
 * @rate: pacing rate in bytes per second, 0 to leave it; at least a segment
 *        per second
 * @paced: the rate is to be enforced, not only a hint for the size of bursts
 */
void ccp_tcp_apply(struct sock *sk, u32 cwnd, u64 rate, u8 paced)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (cwnd)
		tcp_snd_cwnd_set(tp, max(min(cwnd, ccp_cwnd_max(tp)), 1U));
	if (rate) {
		/* sch_fq does it where it is; else TCP's own timer. */
		if (paced)
			cmpxchg(&sk->sk_pacing_status, SK_PACING_NONE,
				SK_PACING_NEEDED);
		/* The next segment must not be due long after the agent died. */
		rate = max_t(u64, rate, tp->mss_cache);
		WRITE_ONCE(sk->sk_pacing_rate,
			   min_t(u64, rate, READ_ONCE(sk->sk_max_pacing_rate)));
	}
}

static void ccp_tcp_invoke(struct sock *sk, const struct ccp_ack *ack)
{
	struct ccp_priv *priv = ccp_priv(sk);
	struct ccp_verdict verdict;

	ccp_rs_ack(sk, priv->flow, ack, &verdict);
	ccp_tcp_apply(sk, verdict.cwnd, verdict.rate, verdict.paced);

	ccp_net_inc(priv->net, CCP_COUNT_INVOCATIONS);
	if (verdict.abort)
		ccp_net_inc(priv->net, CCP_COUNT_ABORTS);
	if (verdict.reported)
		ccp_net_inc(priv->net, CCP_COUNT_REPORTS);
	trace_ccp_invoke(priv->id, ack->timeout, &verdict,
			 tcp_snd_cwnd(tcp_sk(sk)), READ_ONCE(sk->sk_pacing_rate));
}

/* Every ACK counts, also those whose rate sample is invalid. */
static void ccp_tcp_cong_control(struct sock *sk, u32 ack, int flag,
				 const struct rate_sample *rs)
{
	struct ccp_ack facts;

	if (unlikely(!ccp_flow_of(sk)))
		return;
	ccp_tcp_facts(sk, &facts);
	facts.rs_interval_us = rs->interval_us;
	facts.rs_rtt_us = rs->rtt_us;
	facts.rs_delivered = rs->delivered;
	facts.rs_snd_interval_us = rs->snd_interval_us;
	facts.rs_rcv_interval_us = rs->rcv_interval_us;
	facts.app_limited = rs->is_app_limited;
	facts.ece = ccp_priv(sk)->ece;
	ccp_tcp_invoke(sk, &facts);
}

/* Comes before cong_control() for the same ACK. */
static void ccp_tcp_in_ack_event(struct sock *sk, u32 flags)
{
	ccp_priv(sk)->ece = !!(flags & CA_ACK_ECE);
}

/*
 * On a timeout tcp_enter_loss() has marked the losses and set the loss window.
 * tcp_simple_retransmit(), for path MTU discovery, enters this state too, but
 * leaves the window alone and forgets how to undo.
 */
static bool ccp_tcp_timed_out(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tcp_snd_cwnd(tp) == tcp_packets_in_flight(tp) + 1 &&
	       (inet_csk(sk)->icsk_ca_state == TCP_CA_Loss ||
		tp->undo_marker || tp->prior_ssthresh);
}

static void ccp_tcp_set_state(struct sock *sk, u8 new_state)
{
	struct ccp_ack facts;

	if (new_state != TCP_CA_Loss || !ccp_flow_of(sk) ||
	    !ccp_tcp_timed_out(sk))
		return;
	ccp_tcp_facts(sk, &facts);
	facts.ca_state = new_state;
	facts.timeout = 1;
	ccp_tcp_invoke(sk, &facts);
}

/*
 * May run in softirq, or below rcu_read_lock() in setsockopt(). A socket that
 * gets no flow is left to the kernel's reno, under our name.
 */
static void ccp_tcp_init(struct sock *sk)
{
	struct ccp_priv *priv = ccp_priv(sk);
	struct ccp_state *state;
	struct ccp_ack facts;

	BUILD_BUG_ON(sizeof(struct ccp_priv) > ICSK_CA_PRIV_SIZE);
	memset(priv, 0, sizeof(*priv));
	ccp_tcp_facts(sk, &facts);
	rcu_read_lock();
	state = ccp_net_state(sock_net(sk));
	if (state) {
		priv->net = ccp_rs_net_shim(state);
		priv->flow = ccp_rs_flow_open(sk, state, &facts, &priv->id);
		if (!priv->flow)
			ccp_net_inc(priv->net, CCP_COUNT_FLOWS_REFUSED);
	}
	rcu_read_unlock();
	if (priv->flow)
		priv->owner = sk;
	else
		WRITE_ONCE(inet_csk(sk)->icsk_ca_ops,
			   ccp_cong_reno(inet_csk(sk)->icsk_ca_ops));
}

static void ccp_tcp_release(struct sock *sk)
{
	struct ccp_flow *flow = ccp_flow_of(sk);
	struct ccp_priv *priv = ccp_priv(sk);

	priv->owner = NULL;
	priv->flow = NULL;
	if (flow)
		ccp_rs_flow_close(sk, flow);
}

/* The next connection of the socket may have a flow again. */
static void ccp_reno_release(struct sock *sk)
{
	WRITE_ONCE(inet_csk(sk)->icsk_ca_ops,
		   ccp_cong_ops(inet_csk(sk)->icsk_ca_ops));
}

/*
 * ss(8) knows no layout of ours, so we fill in BBR's: bw is the pacing rate,
 * mrtt the minimum RTT; pacing_gain shows the id of the program that runs and
 * cwnd_gain that of the agent in charge, 0 being none.
 */
static size_t ccp_tcp_get_info(struct sock *sk, u32 ext, int *attr,
			       union tcp_cc_info *info)
{
	const struct ccp_priv *priv = ccp_priv(sk);
	u64 rate;

	if (!(ext & (1 << (INET_DIAG_BBRINFO - 1))) &&
	    !(ext & (1 << (INET_DIAG_VEGASINFO - 1))))
		return 0;
	rate = READ_ONCE(sk->sk_pacing_rate);
	memset(&info->bbr, 0, sizeof(info->bbr));
	info->bbr.bbr_bw_lo = lower_32_bits(rate);
	info->bbr.bbr_bw_hi = upper_32_bits(rate);
	info->bbr.bbr_min_rtt = tcp_min_rtt(tcp_sk(sk));
	info->bbr.bbr_pacing_gain = READ_ONCE(priv->program) << 8;
	info->bbr.bbr_cwnd_gain = READ_ONCE(priv->agent) << 8;
	*attr = INET_DIAG_BBRINFO;
	return sizeof(info->bbr);
}

/* ECT is not asked for: ECN is the connection's own business. */
const struct tcp_congestion_ops ccp_tcp_ops = {
	.init		= ccp_tcp_init,
	.release	= ccp_tcp_release,
	.cong_control	= ccp_tcp_cong_control,
	.in_ack_event	= ccp_tcp_in_ack_event,
	.set_state	= ccp_tcp_set_state,
	.ssthresh	= tcp_reno_ssthresh,
	.undo_cwnd	= tcp_reno_undo_cwnd,
	.get_info	= ccp_tcp_get_info,
	.owner		= THIS_MODULE,
};

/* Of a socket without a flow. */
const struct tcp_congestion_ops ccp_tcp_reno_ops = {
	.release	= ccp_reno_release,
	.ssthresh	= tcp_reno_ssthresh,
	.undo_cwnd	= tcp_reno_undo_cwnd,
	.cong_avoid	= tcp_reno_cong_avoid,
	.owner		= THIS_MODULE,
};

/**
 * ccp_tcp_flow() - the flow of a socket
 * @sk: a TCP socket, locked
 * @net: the namespace the flow must belong to
 * @id: set to the flow's id
 *
 * Return: the flow, or NULL when @sk has none in @net.
 */
struct ccp_flow *ccp_tcp_flow(const struct sock *sk, const struct ccp_net *net,
			      u64 *id)
{
	const struct ccp_priv *priv = ccp_priv(sk);

	if (!ccp_cong_is_ours(inet_csk(sk)->icsk_ca_ops) || priv->net != net)
		return NULL;
	*id = priv->id;
	return ccp_flow_of(sk);
}

/**
 * ccp_tcp_peek() - what can be said of a flow without its socket's lock
 * @sk: a socket that was the flow's when its reference was taken
 * @net: the flow's namespace
 * @id: the flow's id
 * @info: filled in, as far as possible
 *
 * Return: whether it is still the flow's.
 */
bool ccp_tcp_peek(const struct sock *sk, const struct ccp_net *net, u64 id,
		  struct ccp_flow_info *info)
{
	const struct ccp_priv *priv = ccp_priv(sk);

	*info = (struct ccp_flow_info) {
		.id = id,
		.agent = READ_ONCE(priv->agent),
		.program = READ_ONCE(priv->program),
		.reason = READ_ONCE(priv->reason),
	};
	return ccp_cong_is_ours(READ_ONCE(inet_csk(sk)->icsk_ca_ops)) &&
	       READ_ONCE(priv->owner) == sk && READ_ONCE(priv->id) == id &&
	       READ_ONCE(priv->net) == net;
}

/**
 * ccp_tcp_publish() - show ids where they can be read without the lock
 * @sk: the flow's socket, locked
 * @agent: the agent in charge, or 0
 * @program: the program that runs, or 0
 * @reason: an enum ccp_fallback_reason
 */
void ccp_tcp_publish(struct sock *sk, u32 agent, u32 program, u32 reason)
{
	struct ccp_priv *priv = ccp_priv(sk);

	WRITE_ONCE(priv->agent, agent);
	WRITE_ONCE(priv->program, program);
	WRITE_ONCE(priv->reason, reason);
}

/**
 * ccp_tcp_clock_us() - the clock of struct ccp_ack's now_us
 */
u64 ccp_tcp_clock_us(void)
{
	return div_u64(tcp_clock_ns(), NSEC_PER_USEC);
}
