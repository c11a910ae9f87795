# SPDX-License-Identifier: GPL-2.0
# Additive increase on each ACK, and noticing congestion, as reno.ccp does. How
# far to reduce is the agent's decision; until it has answered an event, the
# window holds.
(def
    (Report
        # Congestion events since the program was set. One event is all the
        # losses, marks and timeouts of one window of data.
        (events 0)
        # Window before the last event, bytes.
        (window 0)
        (volatile acked 0)
        (volatile lost 0)
        (volatile rtt 0))
    # Set by the agent: growth per window of ACKs in thousandths of a packet,
    # the window after an event, events answered.
    (increase 1000)
    (target 0)
    (handled 0)
    # An event's window is under way, until so many packets are delivered and
    # the event is answered.
    (reacting false)
    (until 0)
    # That window is being sent again after a timeout.
    (slowly false)
    # Bytes acknowledged towards the next packet of growth, times `increase`.
    (credit 0)
    (needed 0)
    (acked 0)
    (step 0))

(when true
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (:= Report.rtt Flow.srtt_us)

    (If Flow.was_timeout
        (:= slowly true))
    (If (&& slowly (! Flow.in_recovery))
        (:= slowly false))

    (If (&& reacting (&& (== handled Report.events) (== (wrapped_max until Flow.delivered) Flow.delivered)))
        (:= reacting false))

    (If (&& reacting (! slowly))
        (If (== handled Report.events)
            (:= Cwnd target)
        (else
            # Nothing new is sent before the answer, down to half the window.
            (:= Cwnd (max (/ Report.window 2) (min Cwnd Flow.bytes_in_flight))))))

    (If (&& (! reacting) (|| Flow.was_timeout (|| (> Ack.lost_pkts_sample 0) (> Ack.ecn_packets 0))))
        (:= reacting true)
        (:= credit 0)
        # Three more packets are what it takes to detect the last loss, and
        # the last ECN echo, of this window.
        (:= until (+ (+ Flow.delivered Flow.packets_in_flight) 3))
        (:= Report.events (+ Report.events 1))
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
        # The kernel's loss window is one packet: exponentially back to where
        # the last event left off.
        (If (< Cwnd target)
            (:= step (min acked (- target Cwnd)))
            (:= Cwnd (+ Cwnd step))
            (:= acked (- acked step)))
        (:= credit (+ credit (* acked increase)))
        (:= needed (* (max Cwnd 1) 1000))
        (If (>= credit needed)
            (:= step (/ credit needed))
            (:= credit (- credit (* step needed)))
            (:= Cwnd (+ Cwnd (* step Flow.mss)))))

    (:= Report.window (if (! reacting) Cwnd))
    (fallthrough))

(when (> Micros Flow.srtt_us)
    (:= Micros 0)
    (report))
