# Comparisons of the same values are one; those with 0 need no comparison.
(def (a 0) (t false))
(when (|| (< Micros a) (== Micros a))
  (:= t (&& (>= a 5) (<= a 5))))
(when (|| Flow.was_timeout (> a 0))
  (report))
