(def (Report (acked 0))
(when true
  (:= Report.acked (+ Report.acked Ack.bytes_acked))
  (report))
(when (> Micros 10ms)
  (report)
