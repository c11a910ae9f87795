# SPDX-License-Identifier: GPL-2.0
# Reports what the agent set.
(def (Report.testFoo 0) (foo 0))
(when true
  (:= Report.testFoo foo)
  (report))
