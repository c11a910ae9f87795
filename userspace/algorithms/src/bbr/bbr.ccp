# SPDX-License-Identifier: GPL-2.0
# BBR's per-ACK part: the newest bandwidth and RTT, pacing and window made of
# them, and the timing of the states. The agent keeps the models, over the last
# ten round trips and the last ten seconds, and decides on STARTUP's end and on
# PROBE_RTT.
(def
    (Report
        # Since the last report: greatest delivery rate, least RTT, losses.
        (volatile rate 0)
        (volatile rtt +infinity)
        (volatile lost 0)
        (volatile acked 0)
        # A round trip, by packets delivered, has ended.
        (volatile round false)
        # The application had nothing to send in it.
        (volatile idle false)
        # 0 STARTUP, 1 DRAIN, 2 PROBE_BW, 3 PROBE_RTT.
        (mode 0))
    # Set by the agent: the models (bytes/s, microseconds), the state to begin,
    # and the state after PROBE_RTT.
    (bw 0)
    (minrtt +infinity)
    (begin 9)
    (after 0)
    # Of 1.25, 0.75 and six times 1, the gain that is on, and its start. In
    # PROBE_RTT `since` is when there was little enough in flight, or 0.
    (phase 2)
    (since 0)
    # The round trip ends with this packet's delivery.
    (until 0)
    # Thousandths; bytes.
    (gain 2885)
    (bdp 0)
    (target 0)
    # The window to return to after recovery and PROBE_RTT.
    (prior 0)
    (recovering false)
    (acked 0)
    # Losses in this phase.
    (lost 0))

(when true
    (:= acked (* (+ Ack.packets_acked Ack.packets_misordered) Flow.mss))
    (:= lost (+ lost Ack.lost_pkts_sample))
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.rtt (min Report.rtt Flow.rtt_sample_us))
    (:= Report.idle (|| Report.idle Flow.app_limited))

    # What an application's pauses made small is no bandwidth.
    (:= target (min Flow.rate_outgoing Flow.rate_incoming))
    (If (|| (! Flow.app_limited) (> target bw))
        (:= Report.rate (max Report.rate target))
        (:= bw (max bw target)))
    (:= minrtt (min minrtt Flow.rtt_sample_us))
    (:= bdp (/ (mul_sat bw minrtt) 1000000))

    (If (== (wrapped_max until Flow.delivered) Flow.delivered)
        (:= until (+ Flow.delivered (max Flow.packets_in_flight 1)))
        (:= Report.round true)
        (report))

    # The agent's wish, once.
    (If (< begin 9)
        (If (&& (== begin 3) (< Report.mode 3))
            (:= prior (max prior Cwnd))
            (:= since 0))
        (:= Report.mode begin)
        (:= begin 9))

    (If (&& (== Report.mode 1) (<= Flow.bytes_in_flight bdp))
        (:= Report.mode 2)
        (:= since Ack.now)
        (:= lost 0)
        (report))

    (If (== Report.mode 2)
        # 1.25 goes on until it has filled the pipe that far or lost something,
        # 0.75 no longer than what it queued takes.
        (If (|| (&& (> (sub_sat Ack.now since) minrtt)
                    (|| (> phase 0) (> lost 0) (>= (* Flow.bytes_in_flight 4) (* bdp 5))))
                (&& (== phase 1) (<= Flow.bytes_in_flight bdp)))
            (:= phase (if (== phase 7) 0 (+ phase 1)))
            (:= since Ack.now)
            (:= lost 0)))

    (If (== Report.mode 3)
        (If (&& (== since 0) (<= Flow.packets_in_flight 4))
            (:= since Ack.now)
            # A whole round trip of it, too.
            (:= until (+ Flow.delivered (max Flow.packets_in_flight 1)))
            (:= Report.round false))
        (If (&& (> since 0) (> (sub_sat Ack.now since) 200000) Report.round)
            (:= Report.mode after)
            (:= since Ack.now)
            (:= phase 2)
            (:= Cwnd (max Cwnd prior))
            (:= prior 0)))

    # Pacing gain: 2/ln 2 in STARTUP, its inverse in DRAIN; and 1 % less, so that
    # a bandwidth taken a little too high builds no queue.
    (:= gain 1000)
    (If (== Report.mode 0) (:= gain 2885))
    (If (== Report.mode 1) (:= gain 347))
    (If (&& (== Report.mode 2) (== phase 0)) (:= gain 1250))
    (If (&& (== Report.mode 2) (== phase 1)) (:= gain 750))
    (If (> bw 0)
        (:= Rate (max (/ (mul_sat bw (* gain 99)) 100000) 1)))

    # In flight at most twice the BDP, and 2/ln 2 times in STARTUP and DRAIN;
    # in either case what senders and receivers hold back in bursts, too.
    (:= target (/ (mul_sat bdp (if (< Report.mode 2) 2885 2000)) 1000))
    (:= target (+ target (* 3 (max (* 2 Flow.mss) (min (/ bw 1000) 65536)))))
    (:= target (max target (* 4 Flow.mss)))

    # Recovery: a packet for each that left, for its first round trip, and the
    # old window after it. The kernel's loss window grows back.
    (If (&& Flow.in_recovery (! recovering))
        (:= recovering true)
        (:= until (+ Flow.delivered (max Flow.packets_in_flight 1)))
        (If (! Flow.was_timeout)
            (:= prior (max prior Cwnd))
            (:= Cwnd (+ Flow.bytes_in_flight (max acked Flow.mss)))))
    (If (&& recovering (! Flow.in_recovery))
        (:= recovering false)
        (If (< Report.mode 3)
            (:= Cwnd (max Cwnd prior))
            (:= prior 0)))

    (If (> bdp 0)
        (If (== Report.mode 0)
            (If (|| (< Cwnd target) (< Flow.delivered 10))
                (:= Cwnd (+ Cwnd acked)))
        (else
            (:= Cwnd (min (+ Cwnd acked) target))))
    (else
        (:= Cwnd (+ Cwnd acked))))
    (If (== Report.mode 3)
        (:= Cwnd (min Cwnd (* 4 Flow.mss)))))
