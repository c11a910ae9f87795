# The second comparison is made only if the first holds. What can abort is
# done in any case.
(def (step 0))
(when Flow.cwnd_limited
  (If (&& (== step 0) (> Micros (* 2 Flow.srtt_us)) Flow.in_recovery)
    (:= step 1)
    (report)
    (else (:= step (+ step 1)))))
