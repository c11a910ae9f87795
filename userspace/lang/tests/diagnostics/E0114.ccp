(def (a 0))
(when true
  (:= a (a + 1))
  (:= a (+ a -1))
  ((:= a 1) (:= a 2))
  (:= a (5)))
