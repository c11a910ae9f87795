(def (a 0))
(when true
  report
  (+ a 1)
  5
  (:= (+ 1 2) 3))
