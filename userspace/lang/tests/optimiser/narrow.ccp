# A test at the end of the only clause is its condition.
(def (Report (volatile n 0)))
(when true
  (:= Report.n (+ Report.n Ack.bytes_acked))
  (If (> Micros Flow.srtt_us)
    (report)
    (:= Micros 0)))
