(def (acked 0) (other 0))
(when true
  (:= aked (+ acked 1))
  (:= aked 2)
  (:= zebra 2)
  (:= Control.acked aked))
