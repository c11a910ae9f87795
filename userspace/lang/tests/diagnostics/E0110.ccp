(def (a 0))
(when true
  (:= a (- 5))
  (:= a)
  (:= a (== 1 2 3))
  (! 1 2)
  (report 5)
  (if a (report) (fallthrough) (report)))
