# Two constants in a row.
(def (a 0))
(when true
  (:= a (+ a 1 2))
  (:= a (* 2 a 3)))
