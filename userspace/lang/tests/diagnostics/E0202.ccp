(def (acked 0))
(when (> akced 0)
  (:= scaled (+ unset 1))
  (:= acked (+ scald 1)))
