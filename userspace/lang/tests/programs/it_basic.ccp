# SPDX-License-Identifier: GPL-2.0
# Adds up bytes and reports when there are a hundred.
(def (Report.acked 0))
(when true
  (:= Report.acked (+ Report.acked Ack.bytes_acked))
  (fallthrough))
(when (== Report.acked 100)
  (report))
