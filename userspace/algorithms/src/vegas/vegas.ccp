# SPDX-License-Identifier: GPL-2.0
# What Vegas measures each round trip, slow start, and noticing congestion as
# reno.ccp does. The agent decides: a packet more or less each round trip, and
# how far to reduce after an event; until it has answered one, the window holds.
(def
    (Report
        # Congestion events since the program was set. One event is all the
        # losses, marks and timeouts of one window of data.
        (events 0)
        # Window before the last event, bytes.
        (window 0)
        # Sum and number of the RTT samples since the last report, the window
        # they were seen with, and whether that window was all used.
        (volatile rtts 0)
        (volatile samples 0)
        (base +infinity)
        (volatile limited false)
        (cwnd 0)
        # An event is under way.
        (busy false)
        (volatile acked 0)
        (volatile lost 0))
    # Set by the agent. Slow start is every other round trip: `hold`. `turn` is
    # a packet more (1) or less (2), once.
    (ssthresh +infinity)
    (handled 0)
    (hold false)
    (turn 0)
    # An event's window is under way, until so many packets are delivered and
    # the event is answered.
    (reacting false)
    (until 0)
    # That window is being sent again after a timeout.
    (slowly false)
    (acked 0)
    (step 0))

(when true
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (If (!= Flow.rtt_sample_us +infinity)
        (:= Report.rtts (+ Report.rtts Flow.rtt_sample_us))
        (:= Report.samples (+ Report.samples 1))
        (:= Report.base (min Report.base Flow.rtt_sample_us)))
    (:= Report.limited (|| Report.limited Flow.cwnd_limited))

    (If Flow.was_timeout
        (:= slowly true))
    (If (&& slowly (! Flow.in_recovery))
        (:= slowly false))

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

    # The kernel's loss window grows back whatever the RTT.
    (If (&& (== handled Report.events) (&& Flow.cwnd_limited (|| slowly (! (|| hold (|| reacting Flow.in_recovery))))))
        # Not what an ACK repeats of earlier selective ones.
        (:= acked (min Ack.bytes_acked (* Ack.packets_acked Flow.mss)))
        (If (< Cwnd ssthresh)
            (:= Cwnd (+ Cwnd (min acked (- ssthresh Cwnd))))))

    (If (&& (> turn 0) (! (|| reacting Flow.in_recovery)))
        (If (== turn 1)
            (:= Cwnd (+ Cwnd Flow.mss))
        (else
            (:= Cwnd (max (sub_sat Cwnd Flow.mss) (* 2 Flow.mss))))))
    (:= turn 0)

    (:= Report.busy (|| reacting Flow.in_recovery))
    (:= Report.window (if (! reacting) Cwnd))
    (:= Report.cwnd Cwnd)
    (fallthrough))

(when (> Micros Flow.srtt_us)
    (:= Micros 0)
    (report))
