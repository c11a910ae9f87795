# What has to be computed comes before comparisons, `(fallthrough)` last.
(def (Report (x 0)) (step 0))
(when true
  (fallthrough)
  (:= Report.x (+ Report.x 1)))
(when (&& (== step 0) (> Micros (* 2 Flow.srtt_us)))
  (:= step 1))
(when Flow.was_timeout
  (:= step 0))
