(def (a 0))
(when true (ewma 2 a))
