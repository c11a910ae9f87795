# Identities; operands are evaluated all the same.
(def (a 0) (b 0) (c 0) (t false))
(when true
  (:= a (+ a 0))
  (:= b (* (/ a 1) 1))
  (:= a (* (/ b Flow.mss) 0))
  (:= c (max (max c 3) 5))
  (:= t (! (! (> b c))))
  (:= t (if (! t) false (|| (> a 1) t))))
