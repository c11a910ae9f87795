# SPDX-License-Identifier: GPL-2.0
# What a flow runs without an agent: Reno (RFC 5681, RFC 6582) with SACK.
#
# The kernel finds losses and sets ssthresh to half the window, 2 packets at
# least; this sets the window. phase is 0 in normal times, 1 from a timeout
# until what was outstanding is acknowledged, 2 in fast recovery. credit counts
# the bytes acknowledged towards the next segment of growth.
(def (phase 0) (credit 0) (gain 0))

# All later events are looked at too.
(when true
    (:= phase (!if Flow.in_recovery 0))
    (:= gain 1200000)
    (fallthrough))

# The window is the kernel's loss window; slow start goes on from there.
(when Flow.was_timeout
    (:= phase 1)
    (:= credit 0))

(when (&& Flow.in_recovery (== phase 2))
    (:= Cwnd Flow.ssthresh))

# Recovery begins: the first retransmission leaves, whatever is in flight.
(when (&& Flow.in_recovery (== phase 0))
    (:= Cwnd (max Flow.ssthresh (+ Flow.bytes_in_flight Flow.mss)))
    (:= phase 2)
    (:= credit 0))

# A congestion mark counts once per RTT.
(when (&& (> Ack.ecn_packets 0) (> Micros Flow.srtt_us) (== phase 0))
    (:= Cwnd (min Cwnd Flow.ssthresh))
    (:= credit 0)
    (:= Micros 0))

# Growth, while the window is what limits the sender.
(when (&& Flow.cwnd_limited (< phase 2) (>= Cwnd Flow.ssthresh))
    (:= credit (+ credit (* Ack.packets_acked Flow.mss))))
(when (&& Flow.cwnd_limited (< phase 2) (< Cwnd Flow.ssthresh))
    (:= Cwnd (min (+ Cwnd (* Ack.packets_acked Flow.mss)) Flow.ssthresh)))
(when (>= credit Cwnd)
    (:= credit (- credit Cwnd))
    (:= Cwnd (+ Cwnd Flow.mss)))

# Pace as the kernel does: 1.2 times the window per RTT, twice of it in the
# first half of slow start.
(when (> Flow.ssthresh (+ Cwnd Cwnd))
    (:= gain 2000000))
(when true
    (:= Rate (/ (* (max Cwnd Flow.bytes_in_flight) gain) (max Flow.srtt_us 1))))
