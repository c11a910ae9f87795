(def (a 0x10))
(when true (:= a 1.5) (:= a 10mss) (:= a 1e6))
