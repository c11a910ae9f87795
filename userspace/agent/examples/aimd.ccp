# SPDX-License-Identifier: GPL-2.0
(def (Report (volatile lost 0) (volatile limited false)))

(when true
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (:= Report.limited (|| Report.limited Flow.cwnd_limited))
    (fallthrough))

(when (> Micros Flow.srtt_us)
    (:= Micros 0)
    (report))
