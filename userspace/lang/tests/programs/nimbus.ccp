# SPDX-License-Identifier: GPL-2.0
# Rates in and out at a fixed interval, and at once on loss.
(def
  (Report
    (volatile acked 0)
    (volatile rtt 0)
    (volatile loss 0)
    (volatile rin 0)
    (volatile rout 0)
    (volatile timeout 0))
  (report_time 0))
(when true
  (:= Report.acked (+ Report.acked Ack.bytes_acked))
  (:= Report.rtt Flow.rtt_sample_us)
  (:= Report.rin Flow.rate_outgoing)
  (:= Report.rout Flow.rate_incoming)
  (:= Report.loss Ack.lost_pkts_sample)
  (:= Report.timeout Flow.was_timeout)
  (fallthrough))
(when (|| Flow.was_timeout (> Report.loss 0))
  (:= Micros 0)
  (report))
(when (> Micros report_time)
  (:= Micros 0)
  (report))
