# SPDX-License-Identifier: GPL-2.0
"""AIMD in portus's later Python API: programs by name, an object per flow."""

import portus


class AimdFlow:
    INIT_CWND = 10

    def __init__(self, datapath, datapath_info):
        self.datapath = datapath
        self.mss = datapath_info.mss
        self.least = float(self.mss * self.INIT_CWND)
        self.cwnd = self.least
        self.datapath.set_program("per_rtt", [("Cwnd", int(self.cwnd))])

    def on_report(self, r):
        if r.loss > 0:
            self.cwnd = max(self.cwnd / 2, self.least)
        else:
            self.cwnd += self.mss * (r.acked / self.cwnd)
        self.datapath.update_fields([("Cwnd", int(self.cwnd))])


class Aimd(portus.AlgBase):
    def datapath_programs(self):
        return {
            "per_rtt": """\
                (def (Report
                    (volatile acked 0)
                    (volatile loss 0)
                ))
                (when true
                    (:= Report.acked (+ Report.acked Ack.bytes_acked))
                    (:= Report.loss (+ Report.loss Ack.lost_pkts_sample))
                    (fallthrough)
                )
                (when (> Micros Flow.rtt_sample_us)
                    (report)
                    (:= Micros 0)
                )
            """
        }

    def new_flow(self, datapath, datapath_info):
        return AimdFlow(datapath, datapath_info)


if __name__ == "__main__":
    portus.start("unix", Aimd())
