(def (__x 0))
(when true (:= __shouldReport true))
