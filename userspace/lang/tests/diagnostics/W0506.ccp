(def (a 0))
(when true
  a
  report
  (+ a 1)
  5
  (:= (+ 1 2) 3))
