# SPDX-License-Identifier: GPL-2.0
# What the kernel runs on each ACK of a flow. Once per round trip it reports what
# was lost, and whether the flow used all of its window.
(def (Report (volatile lost 0) (volatile limited false)))

(when true
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (:= Report.limited (|| Report.limited Flow.cwnd_limited))
    (fallthrough))

(when (> Micros Flow.srtt_us)
    (:= Micros 0)
    (report))
