# SPDX-License-Identifier: GPL-2.0
(def (Report (volatile lost 0)))

(when true
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (fallthrough))

(when (> Micros Flow.srtt_us)
    (:= Micros 0)
    (report))
