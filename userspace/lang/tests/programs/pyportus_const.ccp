# SPDX-License-Identifier: GPL-2.0
# Reports on every ACK.
(def (Report (volatile acked 0) (volatile loss 0) (volatile rtt 0)))
(when true
  (:= Report.acked (+ Report.acked Ack.bytes_acked))
  (:= Report.loss Ack.lost_pkts_sample)
  (:= Report.rtt Flow.rtt_sample_us)
  (report))
