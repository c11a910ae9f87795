(def (a 0))
(when true (:= a mss) mistyped)
