(def (Cwnd 0) (Flow.mss 0))
(when true (report))
