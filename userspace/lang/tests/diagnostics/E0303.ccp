(def (b false))
(when true (:= Cwnd (if b 5 true)))
