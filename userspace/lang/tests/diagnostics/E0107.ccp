(def
  (window -1)
  (a-b 0)
  (c)
  (volatile 0)
  (d (+ 1 2))
  e
  (5 6 7))
(when true (report))
