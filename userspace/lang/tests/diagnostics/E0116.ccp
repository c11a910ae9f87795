(def (a 12bps))
(when true (:= a 1.0005ms))
