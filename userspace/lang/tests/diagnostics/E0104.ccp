(def (a 0))
reset
(while true (:= a 1))
(when true (:= a 1))
