# What was computed is not computed again, nor is what is known.
(def (Report (x 0)) (a 0) (b 0) (c 0))
(when (== a 4)
  (:= b (+ (* 2 Flow.srtt_us) Flow.mss))
  (:= c (max (* 2 Flow.srtt_us) Flow.min_rtt_us))
  (:= Report.x (+ a 1))
  (:= a 4)
  (If (&& (> b c) (== a 4)) (:= Cwnd (+ Cwnd Flow.mss)) (If (> b c) (report))))
