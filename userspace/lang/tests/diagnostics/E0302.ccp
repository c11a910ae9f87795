(def (b false))
(when (== b 1) (report))
