(def (acked 0) (Local (kept 0)))
(when true
  (:= aked (+ acked 1))
  (:= aked 2)
  (:= zebra 2)
  (:= Control.acked aked)
  (:= now kept)
  (:= kept 1))
