# Constants are computed when compiling; what would abort is left alone.
(def (a 0) (b 0))
(when true
  (:= a (+ 1 (* 2 3) (max 4 5)))
  (:= a (/ (- 7 8) 0))
  (:= b (ewma 2 100 200)))
