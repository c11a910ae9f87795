(def (a 0) (a 1) (Report (x 0)) (Report.x 1))
(when true (:= a 1))
