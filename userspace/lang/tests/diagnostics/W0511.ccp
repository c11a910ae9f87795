(def (a 0))
(when (> a 5) (:= a 0))
(when true
  (:= a (+ a 1))
  (report))
(when (> Micros Flow.srtt_us)
  (:= Micros 0)
  (fallthrough))
(when true (report))
