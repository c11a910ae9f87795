# A clause that is reached knows why the ones before it were not taken.
(def (a 0) (b 0))
(when (> a 10) (:= b 1))
(when (== a 10) (:= b 2))
(when (< a 10) (:= b 3))
(when true (:= b 4))
