# SPDX-License-Identifier: GPL-2.0
"""Traces of ACKs: recorded from a flow in the kernel, run again in userspace."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from lab import Lab, wait_for
from traffic import MSS

SEGMENTS = 400


def record(lab: Lab, path, trace: Path) -> None:
    """The ACKs of one transfer, recorded."""
    recorder = lab.start(path.a, "program", "record", "-o", str(trace))
    watcher = lab.client(path.a)
    wait_for("the recorder", lambda: any(a.port_id for a in watcher.agents()))
    flow = lab.flow(path).start(SEGMENTS * MSS)
    flow.wait()
    flow.stop()
    wait_for("the end of the recording", lambda: recorder.process.poll() is not None)
    assert recorder.process.returncode == 0, recorder.output


def test_record_and_run_again(lab: Lab) -> None:
    """What the interpreter did in the kernel it does again in userspace."""
    path = lab.path(delay_ms=40)
    trace = Path("/tmp/trace.csv")
    record(lab, path, trace)
    lines = [line for line in trace.read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    # The receiver acknowledges every other segment at least.
    assert len(rows) >= SEGMENTS / 2, len(rows)
    acked = sum(int(row["Ack.bytes_acked"]) for row in rows)
    assert 0.9 * SEGMENTS * MSS <= acked <= SEGMENTS * MSS, acked
    assert all(int(row["Flow.rtt_sample_us"]) >= 40_000 for row in rows[1:]), rows[:3]

    assert all(int(row["Flow.mss"]) == MSS for row in rows), rows[0]
    for row in rows[1:]:
        assert 40_000 <= int(row["Flow.min_rtt_us"]) <= int(row["Flow.rtt_sample_us"]), row
    assert int(rows[0]["Flow.bytes_pending"]) > 0 == int(rows[-1]["Flow.bytes_pending"]), rows[-1]
    newly = ("Ack.packets_acked", "Ack.packets_misordered")
    total = sum(int(row[name]) for row in rows[1:] for name in newly)
    delivered = int(rows[-1]["Flow.delivered"]) - int(rows[0]["Flow.delivered"])
    assert delivered == total, (delivered, total)

    program = lab.spec.parents[3] / "userspace/ccpctl/examples/record.ccp"
    done = lab.ccpctl(path.a, "-j", "program", "run", str(program), "--acks", str(trace))
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    reports = [event for event in events if event["event"] == "report"]
    assert len(reports) == len(rows)
    for report, row in zip(reports, rows):
        assert report["fields"]["bytes_acked"] == int(row["Ack.bytes_acked"]), (report, row)
    # The window of an ACK is what the program made of the one before; the
    # kernel keeps it in whole segments.
    for report, row in zip(reports, rows[1:]):
        assert report["cwnd"] // MSS == int(row["Cwnd"]) // MSS, (report, row)
