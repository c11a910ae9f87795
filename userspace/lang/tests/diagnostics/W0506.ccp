(def (a 0))
(when true
  a
  (+ a 1)
  5
  (:= (+ 1 2) 3))
