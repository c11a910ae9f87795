(def (c 0) (volatile_count 0))
(when true (:= c (maxc 5)) (:= c (+1 2)) (:= c (+ 1c)))
(whentrue (report))
