# SPDX-License-Identifier: GPL-2.0
# Bytes acknowledged and the RTT, once per RTT.
(def (Report (volatile acked 0) (volatile rtt 0)))
(when true
  (:= Report.acked (+ Report.acked Ack.bytes_acked))
  (:= Report.rtt Flow.rtt_sample_us)
  (fallthrough))
(when (> Micros Flow.rtt_sample_us)
  (:= Micros 0)
  (report))
