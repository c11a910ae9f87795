# SPDX-License-Identifier: GPL-2.0
# Variables that reset after a report and variables that do not.
(def
  (Report (volatile foo 0) (bar 0))
  (volatile baz 0)
  (qux 0))
(when true
  (:= Report.foo (+ Report.foo 1))
  (:= Report.bar (+ Report.bar 1))
  (:= baz (+ baz 2))
  (:= qux (+ qux 2))
  (fallthrough))
(when (== (+ baz 0) 10)
  (:= Report.foo (+ Report.foo baz))
  (:= Report.bar (+ Report.bar qux))
  (report))
