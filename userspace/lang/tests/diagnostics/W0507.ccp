(def (a infinity) (b a) (c 18446744073709551616))
(when true (report))
