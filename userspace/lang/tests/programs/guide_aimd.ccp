# SPDX-License-Identifier: GPL-2.0
# Packets acknowledged and lost, once per RTT and at once on loss.
(def (Report (volatile packets_acked 0) (volatile packets_lost 0)))
(when true
  (:= Report.packets_acked (+ Report.packets_acked Ack.packets_acked))
  (:= Report.packets_lost (+ Report.packets_lost Ack.lost_pkts_sample))
  (fallthrough))
(when (> Micros Flow.rtt_sample_us)
  (report)
  (:= Micros 0))
(when (> Report.packets_lost 0)
  (report))
