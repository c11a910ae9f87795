# SPDX-License-Identifier: GPL-2.0
"""The sample of portus's first Python API, on its module name, with a least
window: where the RTT does not grow, the original's falls below zero."""

import portus


class SampleCCAlg(portus.AlgBase):
    def __init__(self, datapath, datapath_info):
        self.datapath = datapath
        self.datapath_info = datapath_info
        self.cwnd = 10 * self.datapath_info.mss
        self.last_rtt = 0
        # `Report.rtt` is always the latest sample; a report is sent when a
        # round trip has passed.
        self.datapath.install("""\
        (def
            (Report.rtt 0)
        )
        (when true
            (:= Report.rtt Flow.rtt_sample_us)
            (fallthrough)
        )
        (when (> Micros Flow.rtt_sample_us)
            (report)
        )
        """)

    def on_report(self, r):
        if self.last_rtt < r.rtt:
            self.cwnd += self.datapath_info.mss
        else:
            self.cwnd -= self.datapath_info.mss
        self.cwnd = max(self.cwnd, 2 * self.datapath_info.mss)
        self.last_rtt = r.rtt
        self.datapath.update_field("Cwnd", self.cwnd)


if __name__ == "__main__":
    portus.connect("netlink", SampleCCAlg, debug=True, blocking=True)
