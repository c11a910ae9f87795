(def (b false))
(when true (:= b 4) (:= b Cwnd))
