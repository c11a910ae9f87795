# SPDX-License-Identifier: GPL-2.0
# Nimbus measures each 10 ms; all decisions are the agent's. Until the agent has
# set a rate, the window doubles each round trip.
(def
    (Report
        # Of the packets delivered last: the rates at which they were sent and
        # arrived, bytes/s, and their RTT, microseconds.
        (sent 0)
        (arrived 0)
        (rtt 0)
        (minrtt +infinity)
        (volatile lost 0)
        (volatile timeout false)
        (volatile acked 0)
        # The agent thinks that others answer to the pulses.
        (competing false))
    # Set by the agent: rate (bytes/s), window (bytes), and its opinion.
    (rate 0)
    (window 0)
    (elastic false))

(when true
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (:= Report.timeout (|| Report.timeout Flow.was_timeout))
    (:= Report.competing elastic)
    (If (&& (> Flow.rate_outgoing 0) (> Flow.rate_incoming 0))
        (:= Report.sent Flow.rate_outgoing)
        (:= Report.arrived Flow.rate_incoming))
    (If (!= Flow.rtt_sample_us +infinity)
        (:= Report.rtt Flow.rtt_sample_us)
        (:= Report.minrtt (min Report.minrtt Flow.rtt_sample_us)))
    (If (> rate 0)
        (:= Rate rate)
        (:= Cwnd window)
    (else
        (:= Cwnd (+ Cwnd (* (+ Ack.packets_acked Ack.packets_misordered) Flow.mss)))))
    (fallthrough))

(when (|| Report.timeout (>= Micros 10ms))
    (:= Micros 0)
    (report))
