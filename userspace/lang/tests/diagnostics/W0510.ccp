(def (a 0))
(when true (:= a (ewma 12 Cwnd)))
