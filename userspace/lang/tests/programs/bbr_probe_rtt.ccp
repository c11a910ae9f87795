# SPDX-License-Identifier: GPL-2.0
# Drains the queue to four packets and holds it for an RTT and 200 ms.
(def
  (Report (volatile minrtt +infinity))
  (volatile target_inflight_reached 0))
(when true
  (:= Report.minrtt (min Report.minrtt Flow.rtt_sample_us))
  (fallthrough))
(when (&& (== target_inflight_reached 0)
          (|| (< Flow.packets_in_flight 4) (== Flow.packets_in_flight 4)))
  (:= target_inflight_reached 1)
  (:= Micros 0))
(when (&& (== target_inflight_reached 1)
          (&& (> Micros Flow.rtt_sample_us) (> Micros 200000)))
  (:= Micros 0)
  (report))
