(def (a 0))
(when true (:= a 1))
(def (b 0))
(when true (report))
