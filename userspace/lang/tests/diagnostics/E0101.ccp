(def (a 0))
(when true
  (:= a 5) ; set it
  (:= a (% a 2))
  (= a 1))
