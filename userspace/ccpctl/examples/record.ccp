# SPDX-License-Identifier: GPL-2.0
# Reports every ACK, and is a Reno besides, so that there is a flow to record.
# `ccpctl program record` runs it. A field has the name of its primitive
# register. Report registers are 16, so some of them hold two values, one of them
# times 2^32; bytes that are packets times segment size are left to the reader.
(def
  (Report
    (now 0)
    (bytes_acked 0)
    (packets_acked 0)
    (packets_misordered 0)
    (lost_pkts_sample 0)
    (ce_packets 0)
    (bytes_pending 0)
    (rate_incoming 0)
    (rate_outgoing 0)
    (rtt_sample_us 0)
    (srtt_us 0)
    (min_rtt_us 0)
    (ssthresh 0)
    (window 0)    # Cwnd, packets in flight
    (totals 0)    # packets delivered, lost
    (segment 0))  # size, flags: see below
  (phase 0)     # 1 in fast recovery, 2 after a timeout
  (credit 0)    # bytes acknowledged towards the next segment of growth
  (gain 0)
  (flags 0))

(when true
  (:= Report.now Ack.now)
  (:= Report.bytes_acked Ack.bytes_acked)
  (:= Report.packets_acked Ack.packets_acked)
  (:= Report.packets_misordered Ack.packets_misordered)
  (:= Report.lost_pkts_sample Ack.lost_pkts_sample)
  (:= Report.ce_packets Ack.ce_packets)
  (:= Report.bytes_pending Flow.bytes_pending)
  (:= Report.rate_incoming Flow.rate_incoming)
  (:= Report.rate_outgoing Flow.rate_outgoing)
  (:= Report.rtt_sample_us Flow.rtt_sample_us)
  (:= Report.srtt_us Flow.srtt_us)
  (:= Report.min_rtt_us Flow.min_rtt_us)
  (:= Report.ssthresh Flow.ssthresh)
  (:= Report.window (+ Cwnd (* Flow.packets_in_flight 4294967296)))
  (:= Report.totals (+ Flow.delivered (* Flow.lost 4294967296)))
  (:= flags 0)
  (If Flow.was_timeout (:= flags 1))
  (If Flow.in_recovery (:= flags (+ flags 2)))
  (If Flow.cwnd_limited (:= flags (+ flags 4)))
  (If Flow.app_limited (:= flags (+ flags 8)))
  (If (> Ack.ecn_packets 0) (:= flags (+ flags 16)))
  (:= Report.segment (+ Flow.mss (* flags 4294967296)))
  (report)
  (fallthrough))

# The kernel finds losses and sets ssthresh; after a timeout it sets the window
# too. On the first ACK of a recovery, the retransmission must be let through.
(when Flow.was_timeout
  (:= phase 2)
  (:= credit 0))
(when (&& Flow.in_recovery (== phase 1))
  (:= Cwnd Flow.ssthresh))
(when (&& Flow.in_recovery (== phase 0))
  (:= phase 1)
  (:= credit 0)
  (:= Cwnd (max Flow.ssthresh (* Flow.mss (+ Flow.packets_in_flight 1)))))
(when (! Flow.in_recovery)
  (:= phase 0))

# Growth, while the window is what limits the sender.
(when (&& Flow.cwnd_limited (!= phase 1))
  (If (< Cwnd Flow.ssthresh)
      (:= Cwnd (min Flow.ssthresh (+ Cwnd (* Ack.packets_acked Flow.mss))))
    (else
      (:= credit (+ credit (* Ack.packets_acked Flow.mss)))))
  (If (>= credit Cwnd)
      (:= credit (- credit Cwnd))
      (:= Cwnd (+ Cwnd Flow.mss))))

# Paced a little faster than the window asks for; twice as fast in slow start.
(when true
  (:= gain (if (> Flow.ssthresh (* 2 Cwnd)) 2000000 1200000))
  (:= Rate (/ (* gain Cwnd) (max 1 Flow.srtt_us))))
