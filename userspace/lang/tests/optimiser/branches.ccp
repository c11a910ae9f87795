# Choices between values, equal conditions in a row, equal ends.
(def (Report (x 0)) (on false) (a 0) (b 0))
(when Flow.cwnd_limited
  (If on (:= a 1))
  (If (> a b) (:= Cwnd 5000) (else (:= Cwnd 6000)))
  (If (> Micros 5ms) (:= b (+ b 1)) (report))
  (If (> Micros 5ms) (:= Micros 0) (else (:= a 9) (:= Micros 0)))
  (:= Report.x (+ a b)))
