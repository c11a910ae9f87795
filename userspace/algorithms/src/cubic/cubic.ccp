# SPDX-License-Identifier: GPL-2.0
# CUBIC's per-ACK part: the curve, and noticing congestion. The agent answers
# each event with a new curve; until it has, the window holds.
(def
    (Report
        # Congestion events since the program was set. One event is all the
        # losses, marks and timeouts of one window of data.
        (events 0)
        # The last event was a retransmission timeout.
        (timeout false)
        # Window before the last event, bytes.
        (window 0)
        (volatile acked 0)
        (volatile lost 0)
        (volatile marked 0)
        (volatile rtt 0)
        # Time on the curve, ms, and the window it leads to in a round trip.
        (t 0)
        (target 0)
        # W_est: the window Reno would have.
        (friendly 0))
    # Set by the agent: W_max in bytes (0: the window in which congestion
    # avoidance begins), K in ms, C in thousandths of a segment per cubic
    # second, alpha in thousandths, the window before the event in bytes.
    (ssthresh +infinity)
    (handled 0)
    (plateau 0)
    (k 0)
    (c 400)
    (alpha 529)
    (prior 0)
    # An event's window is under way, until so many packets are delivered and
    # the event is answered.
    (reacting false)
    (until 0)
    # That window is being sent again after a timeout.
    (slowly false)
    # When congestion avoidance began (0: it has not), and the last ACK,
    # microseconds.
    (start 0)
    (last 0)
    # Growth of W_est still to be counted.
    (credit 0)
    (acked 0)
    (step 0)
    (distance 0))

(when true
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (:= Report.marked (+ Report.marked Ack.ecn_packets))
    (:= Report.rtt Flow.srtt_us)

    # The curve stands still while the window is not what limits the sender.
    (If (&& (! Flow.cwnd_limited) (> start 0))
        (:= start (+ start (- Ack.now last))))
    (:= last Ack.now)

    (If Flow.was_timeout
        (:= slowly true))
    (If (&& slowly (! Flow.in_recovery))
        (:= slowly false))

    # An event is over when its window has been delivered and the agent has
    # answered. Later losses, of retransmissions too, are another event.
    (If (&& reacting (&& (== handled Report.events) (== (wrapped_max until Flow.delivered) Flow.delivered)))
        (:= reacting false))

    (If (&& reacting (! slowly))
        (If (== handled Report.events)
            (:= Cwnd ssthresh)
        (else
            # Nothing new is sent before the answer, down to half the window.
            (:= Cwnd (max (/ Report.window 2) (min Cwnd Flow.bytes_in_flight))))))
    (If (&& reacting (&& slowly (== handled Report.events)))
        (:= Cwnd (min Cwnd ssthresh)))

    (If (&& (! reacting) (|| Flow.was_timeout (|| (> Ack.lost_pkts_sample 0) (> Ack.ecn_packets 0))))
        (:= reacting true)
        (:= start 0)
        # Three more packets are what it takes to detect the last loss, and
        # the last ECN echo, of this window.
        (:= until (+ (+ Flow.delivered Flow.packets_in_flight) 3))
        (:= Report.events (+ Report.events 1))
        (:= Report.timeout Flow.was_timeout)
        # On a timeout the kernel has set its loss window already, and the
        # window of the last ACK is what counts. Else only a retransmission may
        # go now.
        (If (! slowly)
            (:= Report.window Cwnd)
            (:= step 0)
            (:= step (if (> Ack.lost_pkts_sample 0) Flow.mss))
            (:= Cwnd (max (/ Cwnd 2) (min Cwnd (+ Flow.bytes_in_flight step)))))
        (report))

    (If (&& (== handled Report.events) (&& Flow.cwnd_limited (|| slowly (! (|| reacting Flow.in_recovery)))))
        # Not what an ACK repeats of earlier selective ones.
        (:= acked (min Ack.bytes_acked (* Ack.packets_acked Flow.mss)))
        (If (< Cwnd ssthresh)
            (:= step (min acked (- ssthresh Cwnd)))
            (:= Cwnd (+ Cwnd step))
            (:= acked (- acked step)))
        (If (>= Cwnd ssthresh)
            (If (== start 0)
                (:= start Ack.now)
                (:= Report.friendly Cwnd)
                (:= credit 0)
                (If (== plateau 0)
                    (:= plateau Cwnd)))

            # Where the curve is one round trip from now: W_max plus or minus
            # C times the cube of the distance from K.
            (:= Report.t (/ (+ (- Ack.now start) Flow.srtt_us) 1000))
            (:= distance (- (max Report.t k) (min Report.t k)))
            (:= step (/ (mul_sat (mul_sat distance distance) distance) 1000))
            (:= step (/ (mul_sat step (* c Flow.mss)) 1000000000))
            (:= Report.target (sub_sat plateau step))
            (If (> Report.t k)
                (:= Report.target (add_sat plateau step)))
            (:= Report.target (min (max Report.target Cwnd) (+ Cwnd (/ Cwnd 2))))

            # Reno's window: alpha packets per window of ACKs, and a whole one
            # once it is past the window before the event.
            (If (>= Report.friendly prior)
                (:= alpha 1000))
            (:= credit (+ credit (* acked alpha)))
            (If (>= credit (* Cwnd 1000))
                (:= credit (- credit (* Cwnd 1000)))
                (:= Report.friendly (+ Report.friendly Flow.mss)))

            (:= step (/ (mul_sat (- Report.target Cwnd) acked) (max Cwnd 1)))
            (:= Cwnd (max (+ Cwnd step) Report.friendly))))

    (:= Report.window (if (! reacting) Cwnd))
    (fallthrough))

(when (> Micros Flow.srtt_us)
    (:= Micros 0)
    (report))
