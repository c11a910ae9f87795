# SPDX-License-Identifier: GPL-2.0
# Reports the window and the rate the agent set.
(def (Report.cwnd 0) (Report.rate 0))
(when (&& (== Cwnd 42) (== Rate 10))
  (:= Report.cwnd Cwnd)
  (:= Report.rate Rate)
  (report))
