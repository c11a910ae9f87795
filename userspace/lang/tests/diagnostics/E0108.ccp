(def (a 0))
(when)
(when true)
(when true (If a))
