(def (a 0))
(when true
  (reset)
  (maxx a 2)
  (set a 3)
  (frobnicate a))
