# Operators write to the variable, unless an abort would show it.
(def (Report (x 0)) (a 0) (b 0))
(when true
  (:= a (+ a 1))
  (:= Report.x (:= b (max a b)))
  (:= a (+ (:= a 7) (/ b a))))
