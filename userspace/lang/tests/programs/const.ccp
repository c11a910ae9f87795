# SPDX-License-Identifier: GPL-2.0
# The agent presets Cwnd or Rate; the program only measures.
(def
  (Report
    (volatile rtt 0)
    (volatile rin 0)
    (volatile rout 0)
    (volatile loss 0)))
(when true
  (:= Report.rtt Flow.rtt_sample_us)
  (:= Report.rin Flow.rate_outgoing)
  (:= Report.rout Flow.rate_incoming)
  (:= Report.loss (+ Report.loss Ack.lost_pkts_sample))
  (fallthrough))
(when (> Micros Flow.rtt_sample_us)
  (report)
  (:= Micros 0))
