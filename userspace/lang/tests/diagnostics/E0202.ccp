(def (threshold 0))
(when (> Cwnd treshold) (report))
(when (&& undefined true) (report))
