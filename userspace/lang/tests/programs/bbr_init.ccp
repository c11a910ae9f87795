# SPDX-License-Identifier: GPL-2.0
# Measures the minimum RTT and the delivery rate for one RTT.
(def
  (Report
    (volatile loss 0)
    (minrtt +infinity)
    (volatile rate 0)
    (pulseState 0)))
(when true
  (:= Report.loss (+ Report.loss Ack.lost_pkts_sample))
  (:= Report.minrtt (min Report.minrtt Flow.rtt_sample_us))
  (:= Report.rate (max Report.rate (min Flow.rate_outgoing Flow.rate_incoming)))
  (:= Report.pulseState 5)
  (fallthrough))
(when (> Micros Report.minrtt)
  (report))
