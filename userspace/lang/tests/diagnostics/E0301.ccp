(def (b false))
(when (> b 0) (:= Cwnd (+ Cwnd Flow.was_timeout)))
