(def (Local (a 1) (b true) (volatile c 0) (Report.d 0) (e 0) (f false)))
(when true (:= e a) (:= f b))
