# Nobody sees a value that is overwritten first; a report, the end of the
# invocation and an abort do.
(def (Report (x 0)) (a 0))
(when true
  (:= Cwnd 1)
  (:= Cwnd (+ Cwnd (* 2 Flow.mss)))
  (:= a 1)
  (:= a 2)
  (:= Report.x (/ 10 Flow.srtt_us))
  (:= a 3)
  (+ (max a 1) 0)
  (fallthrough))
(when false
  (:= a 5))
