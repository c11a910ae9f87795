(def (a 0))
(when Flow.cwnd_limited
  (If a (:= Cwnd 5000) else (:= Cwnd 9000))
  (if a else (:= a 1))
  (If a report (else fallthrough))
  when)
