# SPDX-License-Identifier: GPL-2.0
# Grows the window by what is acknowledged, up to `most`; halves it on loss.
(def
  (Report (volatile acked 0) (volatile lost 0) (minrtt +infinity))
  (most 64KB)
  (volatile halved false))

(when true
  (:= Report.acked (+ Report.acked Ack.bytes_acked))
  (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
  (:= Report.minrtt (min Report.minrtt Flow.rtt_sample_us))
  (If (&& (> Ack.lost_pkts_sample 0) (! halved))
      (:= Cwnd (max (/ Cwnd 2) 2896))
      (:= halved true)
    (else
      (:= Cwnd (min (+ Cwnd Ack.bytes_acked) most))))
  (fallthrough))

(when (> Micros 100ms)
  (:= Micros 0)
  (report))
