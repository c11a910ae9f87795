# SPDX-License-Identifier: GPL-2.0
# Copa's per-ACK part: the queueing delay, and one step of the window towards
# the target rate. The agent has the longer view: it sets the base RTT, the
# velocity and delta, once a round trip.
(def
    (Report
        # Since the last report: least and greatest RTT, greatest delivery
        # rate, packets lost, and whether the window was all used.
        (volatile least +infinity)
        (volatile most 0)
        (volatile rate 0)
        (volatile lost 0)
        (volatile limited false)
        (volatile acked 0)
        # The delay that counts: least RTT of about the last half round trip.
        (standing 0)
        # The window doubles until its rate is above the target.
        (slow true)
        # What the last step was made with.
        (base +infinity)
        (velocity 1))
    # Set by the agent: the base RTT, 1/delta in thousandths, the velocity.
    (rttmin +infinity)
    (packets 2000)
    (speed 1)
    # Two halves of the time the standing RTT is taken over.
    (before +infinity)
    (now +infinity)
    (since 0)
    (acked 0)
    (step 0)
    (up true))

(when true
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (:= Report.rate (max Report.rate (min Flow.rate_outgoing Flow.rate_incoming)))
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.limited (|| Report.limited Flow.cwnd_limited))
    (If Flow.was_timeout
        (:= Report.slow true))

    (If (!= Flow.rtt_sample_us +infinity)
        (If (> (sub_sat Ack.now since) (/ Flow.srtt_us 4))
            (:= since Ack.now)
            (:= before now)
            (:= now +infinity))
        (:= now (min now Flow.rtt_sample_us))
        (:= Report.standing (min now before))
        (:= rttmin (min rttmin Flow.rtt_sample_us))
        (:= Report.least (min Report.least Flow.rtt_sample_us))
        (:= Report.most (max Report.most Flow.rtt_sample_us)))

    # Rate cwnd / standing, target 1 / (delta * delay): up while the window is
    # at most standing / (delta * delay) packets.
    (:= up (<= (mul_sat (mul_sat Cwnd (- (max Report.standing rttmin) rttmin)) 1000)
               (mul_sat (mul_sat Report.standing Flow.mss) packets)))
    (:= acked (* (+ Ack.packets_acked Ack.packets_misordered) Flow.mss))
    (If (&& Report.slow (! up))
        (:= Report.slow false))
    (If Report.slow
        (If Flow.cwnd_limited
            (:= Cwnd (+ Cwnd acked)))
    (else
        # velocity / delta packets in a window of ACKs.
        (:= step (/ (mul_sat (mul_sat acked Flow.mss) (* speed packets)) (* (max Cwnd 1) 1000)))
        (:= step (min step acked))
        (If up
            (If Flow.cwnd_limited
                (:= Cwnd (+ Cwnd step)))
        (else
            (:= Cwnd (max (sub_sat Cwnd step) (* 2 Flow.mss)))))))

    # Twice the rate of the window: no bursts, and no limit either.
    (If (> Report.standing 0)
        (:= Rate (/ (mul_sat Cwnd 2000000) Report.standing)))
    (:= Report.base rttmin)
    (:= Report.velocity speed)
    (fallthrough))

(when (> Micros Flow.srtt_us)
    (:= Micros 0)
    (report))
