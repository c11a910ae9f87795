# SPDX-License-Identifier: GPL-2.0
# Multiplies by what the agent set for this flow.
(def (Report.reportAck 0) (numerator 10))
(when true
  (:= scaled (* Ack.bytes_acked numerator))
  (:= Report.reportAck (/ scaled 10))
  (report))
