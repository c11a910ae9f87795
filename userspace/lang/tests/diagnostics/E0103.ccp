(def (a 0))
(when true (:= a 1)))
(when true (report))
