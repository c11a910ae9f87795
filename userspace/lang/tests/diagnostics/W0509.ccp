(def (a 0) (b 0))
(when true (:= a (if (> b 1) (:= b 5))))
