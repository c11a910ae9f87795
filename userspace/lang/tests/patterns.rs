// SPDX-License-Identifier: GPL-2.0
//! The programs of docs/patterns.md do at the times it says what it says, on
//! the datapath's machine.

mod common;

use std::collections::BTreeSet;

use common::{docs, Flow, BOTH};

const MS: u64 = 1000;

fn source(name: &str) -> String {
    let found = docs::examples().into_iter().find(|e| e.name == name);
    found.unwrap_or_else(|| panic!("no pattern {name}")).source
}

/// Runs a pattern, compiled in both ways. Segments are of 1000 bytes.
fn both(name: &str, test: impl Fn(&mut Run)) {
    for options in BOTH {
        let mut flow = Flow::new(&source(name), options);
        flow.set("Flow.mss", 1000);
        flow.set("Ack.bytes_acked", 1000);
        let start = flow.input.now_us;
        test(&mut Run { flow, start });
    }
}

/// A flow and when it got its program.
struct Run {
    flow: Flow,
    start: u64,
}

impl Run {
    fn ms(&self) -> u64 {
        (self.flow.input.now_us - self.start) / MS
    }

    /// An ACK every `every` ms until `end` ms after the start. Returns what
    /// `see` makes of those it likes.
    fn acks<T>(
        &mut self,
        every: u64,
        end: u64,
        mut see: impl FnMut(&mut Self, Option<Vec<u64>>) -> Option<T>,
    ) -> Vec<T> {
        let mut seen = Vec::new();
        while self.ms() + every <= end {
            let now = self.flow.after(every * MS).input.now_us;
            let report = self.flow.set("Ack.now", now).report();
            seen.extend(see(self, report));
        }
        seen
    }

    /// When reports left, in ms.
    fn reports(&mut self, every: u64, end: u64) -> Vec<u64> {
        self.acks(every, end, |run, report| report.map(|_| run.ms()))
    }

    /// When the rate changed, in ms, and what to.
    fn rates(&mut self, every: u64, end: u64) -> Vec<(u64, u64)> {
        let mut rate = self.flow.input.rate;
        self.acks(every, end, |run, _| {
            let changed = std::mem::replace(&mut rate, run.flow.input.rate) != rate;
            changed.then(|| (run.ms(), rate))
        })
    }
}

#[test]
fn every_pattern_is_tested() {
    let named: BTreeSet<String> = docs::examples()
        .into_iter()
        .map(|e| e.name)
        .filter(|name| !name.is_empty())
        .collect();
    let text = include_str!("patterns.rs");
    for name in &named {
        let call = format!("both({name:?}");
        assert!(text.contains(&call), "no test of {name}");
    }
    assert!(named.len() >= 13, "only {named:?}");
}

#[test]
fn once() {
    both("once", |run| {
        assert_eq!(run.reports(1, 500), [100]);
        run.flow.update("fired", 0);
        assert_eq!(run.reports(1, 600), [501]);
    });
    // With the first ACK after its time.
    both("once", |run| assert_eq!(run.reports(70, 700), [140]));
}

#[test]
fn interval() {
    both("interval", |run| {
        assert_eq!(run.reports(3, 60), [12, 24, 36, 48, 60]);
        assert_eq!(run.reports(100, 360), [160, 260, 360]);
    });
}

#[test]
fn cadence() {
    both("cadence", |run| {
        assert_eq!(run.reports(3, 63), [12, 21, 30, 42, 51, 60]);
        // 37 ms without an ACK: one report, and the count begins again.
        assert_eq!(run.reports(37, 100), [100]);
        assert_eq!(run.reports(3, 121), [112, 121]);
    });
}

#[test]
fn rtt() {
    both("rtt", |run| {
        // Without an RTT, every other ms.
        assert_eq!(run.reports(1, 6), [2, 4, 6]);
        run.flow.set("Flow.srtt_us", 20 * MS);
        assert_eq!(run.reports(1, 50), [27, 48]);
        run.flow.set("Ack.lost_pkts_sample", 1);
        assert_eq!(run.reports(1, 51), [51]);
        run.flow.set("Ack.lost_pkts_sample", 0);
        assert_eq!(run.reports(1, 72), [72]);
        run.flow.set("Flow.was_timeout", 1);
        assert_eq!(run.reports(1, 73), [73]);
    });
}

#[test]
fn several() {
    both("several", |run| {
        let rates = run.rates(1, 30);
        let expected = [5, 10, 15, 20, 25, 30].map(|ms| (ms, 1_000_000 + ms / 5 * 10_000));
        assert_eq!(rates, expected);
    });
    both("several", |run| {
        assert_eq!(run.reports(1, 100), [20, 40, 60, 80, 100]);
    });
    both("several", |run| {
        run.flow.input.rate = u64::MAX;
        let expected = [(1, 1_000_000), (5, 1_010_000), (10, 1_020_000)];
        assert_eq!(run.rates(1, 10), expected);
    });
}

#[test]
fn no_pattern_needs_a_rate_to_begin_with() {
    for example in docs::examples().iter().filter(|e| !e.name.is_empty()) {
        for rate in [u64::MAX, 1] {
            both(&example.name, |run| {
                run.flow.input.rate = rate;
                run.flow.set("Flow.srtt_us", 20 * MS);
                run.flow.set("Ack.lost_pkts_sample", 1);
                // An abort would panic.
                let found = run.acks(1, 300, |run, _| Some(run.flow.input.rate));
                let last = *found.last().expect("an ACK");
                if example.source.contains("(:= Rate") {
                    let set = (500_000..4_000_000).contains(&last);
                    assert!(set, "{}: {last}", example.name);
                } else {
                    assert_eq!(last, rate, "{}", example.name);
                }
            });
        }
    }
}

#[test]
fn outlive() {
    both("outlive", |run| {
        let half = |run: &mut Run| {
            run.flow.set("Ack.lost_pkts_sample", 1);
            let reports = run.reports(1, run.ms() + 1);
            run.flow.set("Ack.lost_pkts_sample", 0);
            (reports.len(), run.flow.input.cwnd)
        };
        run.flow.input.cwnd = 40_000;
        assert_eq!(half(run), (1, 20_000));
        assert_eq!(half(run), (0, 20_000));
        run.acks(1, 40, |_, _| None::<()>);
        // Another program, and another half of the window.
        let other = source("outlive").replace("(/ Cwnd 2)", "(/ Cwnd 4)");
        let compiled = common::compile(&other, BOTH[1]);
        run.flow.switch(&compiled.program, compiled.symbols);
        assert_eq!(half(run), (0, 20_000));
        run.acks(1, 52, |_, _| None::<()>);
        assert_eq!(half(run), (1, 5_000));
    });
}

const BOTTLENECK: u64 = 1_500_000;

#[test]
fn pulses() {
    both("pulses", |run| {
        run.flow.set("Flow.srtt_us", 9 * MS);
        let (high, low) = (BOTTLENECK * 5 / 4, BOTTLENECK * 3 / 4);
        assert_eq!(
            run.rates(1, 200),
            [
                (10, high),
                (20, low),
                (30, BOTTLENECK),
                (90, high),
                (100, low),
                (110, BOTTLENECK),
                (170, high),
                (180, low),
                (190, BOTTLENECK)
            ]
        );
        // The agent finds another bottleneck.
        run.flow.update("bottleneck", 1_000_000);
        assert_eq!(
            run.rates(1, 260),
            [(210, 1_000_000), (250, 1_250_000), (260, 750_000)]
        );
    });
    both("pulses", |run| {
        run.flow.set("Flow.srtt_us", 9 * MS);
        let steps = run.acks(1, 100, |_, report| report.map(|fields| fields[1]));
        assert_eq!(steps, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]);
    });
}

#[test]
fn cycle() {
    let (low, middle, high) = (1_125_000, 1_500_000, 1_875_000);
    both("cycle", |run| {
        run.flow.set("Flow.srtt_us", 10 * MS);
        assert_eq!(
            run.rates(1, 190),
            [
                (11, low),
                (21, middle),
                (81, high),
                (92, low),
                (102, middle),
                (162, high),
                (173, low),
                (183, middle)
            ]
        );
        // All three steps in one ACK: the last of them is what it is.
        assert_eq!(run.rates(90, 280), [(280, high)]);
    });
}

#[test]
fn wave() {
    both("wave", |run| {
        let (high, low) = (1_250_000, 750_000);
        // The step at 100 is seen with the ACK after: Micros was high before.
        assert_eq!(
            run.rates(1, 240),
            [
                (1, high),
                (30, low),
                (101, high),
                (130, low),
                (201, high),
                (230, low)
            ]
        );
    });
    both("wave", |run| {
        assert_eq!(run.reports(1, 350), [100, 200, 300]);
    });
}

#[test]
fn ramp() {
    both("ramp", |run| {
        let rates = run.acks(250, 2000, |run, _| Some(run.flow.input.rate));
        assert_eq!(
            rates,
            [
                1_250_000, 1_500_000, 1_750_000, 2_000_000, 2_000_000, 2_000_000, 2_000_000,
                2_000_000
            ]
        );
    });
}

#[test]
fn probe() {
    both("probe", |run| {
        run.flow.input.cwnd = 50_000;
        run.flow.set("Flow.rtt_sample_us", 30 * MS);
        let mut cwnd = 50_000;
        let changes = run.acks(10, 21_000, |run, report| {
            if run.ms() == 10_100 {
                // The agent may say what it likes meanwhile.
                run.flow.update("Cwnd", 90_000);
            }
            let changed = std::mem::replace(&mut cwnd, run.flow.input.cwnd) != cwnd;
            changed.then(|| (run.ms(), cwnd, report.is_some()))
        });
        let expected = [
            (10_000, 4_000, false),
            (10_100, 90_000, false),
            (10_110, 4_000, false),
            (10_200, 50_000, true),
            (20_200, 4_000, false),
            (20_400, 50_000, true),
        ];
        assert_eq!(changes, expected);
    });
}

#[test]
fn batch() {
    both("batch", |run| {
        // 1000 bytes a ms: 10 ms come first.
        assert_eq!(run.reports(1, 30), [10, 20, 30]);
        // 16000 bytes a ms: 64 KB come first.
        run.flow.set("Ack.bytes_acked", 16_384);
        let fields = run.acks(1, 42, |run, report| report.map(|f| (run.ms(), f)));
        let expected = [34, 38, 42].map(|ms| (ms, vec![65_536, 4, 0, u64::from(u32::MAX)]));
        assert_eq!(fields, expected);
        run.flow.set("Ack.lost_pkts_sample", 2);
        assert_eq!(run.reports(1, 44), [43, 44]);
    });
}

#[test]
fn limit() {
    both("limit", |run| {
        run.flow.set("Ack.lost_pkts_sample", 1);
        // Ten ACKs in each ms, all with losses: one report a ms with all of them.
        let mut reports = Vec::new();
        for at in 0..50 {
            if let Some(fields) = run.flow.after(100).report() {
                reports.push((at, fields[1]));
            }
        }
        assert_eq!(reports, [(0, 1), (10, 10), (20, 10), (30, 10), (40, 10)]);
        // Without loss, when there is enough to tell.
        run.flow.set("Ack.lost_pkts_sample", 0);
        run.flow.set("Ack.bytes_acked", 100_000);
        let found = [(); 4].map(|()| run.flow.after(2 * MS).report().is_some());
        // The first tells of the losses that came after the last report.
        assert_eq!(found, [true, false, false, true]);
    });
}

#[test]
fn wrap() {
    both("wrap", |run| {
        let mut total = (1_u64 << 32) - 12;
        let packets = run.acks(5, 60, |run, report| {
            total += 1;
            run.flow.set("Flow.delivered", total % (1 << 32));
            report.map(|fields| fields[0])
        });
        // Each ACK sees the total as of the one before.
        assert_eq!(packets, [(1 << 32) - 11, 2, 2, 2, 2, 2]);
    });
}
