# SPDX-License-Identifier: GPL-2.0
"""Additive increase, multiplicative decrease: a segment more in each round
trip, half the window when something was lost."""

import pyccp

PROGRAM = """
(def (Report (volatile lost 0) (volatile limited false)))

(when true
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (:= Report.limited (|| Report.limited Flow.cwnd_limited))
    (fallthrough))

(when (> Micros Flow.srtt_us)
    (:= Micros 0)
    (report))
"""


class Aimd(pyccp.AlgBase):
    def on_create(self):
        self.losing = False
        self.datapath.install(PROGRAM)

    def on_report(self, r):
        mss = self.datapath_info.mss
        was_losing, self.losing = self.losing, r.lost > 0
        if r.lost and not was_losing:
            self.datapath.update_field("Cwnd", max(r.Cwnd // 2, 2 * mss))
        elif r.lost:
            pass  # Losses of one window can come in two reports.
        elif r.limited:  # Else the application sends less than it may.
            self.datapath.update_field("Cwnd", r.Cwnd + mss)


if __name__ == "__main__":
    pyccp.connect("netlink", Aimd)
