# SPDX-License-Identifier: GPL-2.0
# A fixed window, and a fixed rate where one is given (0 leaves it alone).
(def
    (Report
        (volatile acked 0)
        (volatile lost 0)
        (volatile rtt 0)
        (volatile rate_out 0))
    (window 0)
    (rate 0))

(when true
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (:= Report.rtt Flow.srtt_us)
    (:= Report.rate_out Flow.rate_outgoing)
    # On every ACK: the kernel lowers the window on a timeout.
    (:= Cwnd window)
    (:= Rate rate)
    (fallthrough))

(when (> Micros Flow.srtt_us)
    (:= Micros 0)
    (report))
