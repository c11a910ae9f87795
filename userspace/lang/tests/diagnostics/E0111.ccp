(def (a 0))
(when (report) (:= a (If true 1)))
(when true
  (If a (report) (else (fallthrough)) (report))
  (else (report)))
