# A number that takes an instruction takes it once.
(def (a 0) (b 0))
(when true
  (:= a (min a 5000000000))
  (:= b (min b 5000000000)))
