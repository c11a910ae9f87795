(def (a 0))
(when true
  (:= Ack.bytes_acked 5)
  (:= 3 4)
  (:= (if a 1) 2))
