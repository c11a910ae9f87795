# Clauses that never run go. One that always runs becomes part of the next;
# two with one condition become one.
(def (Report (x 0)) (a 0))
(when true (:= Report.x (+ Report.x 1)) (fallthrough))
(when (> Micros 10ms) (:= a 1))
(when (> Micros 10ms) (report))
(when (&& (> a 1) (< a 1)) (:= a 2))
(when true (:= a 3))
(when (< a 2) (:= a 4))
