// SPDX-License-Identifier: GPL-2.0
//! What the algorithms' tests share.

use ccp_agent::sim::{Drops, Path, Sample, Sim};
use std::time::Duration;

/// 20 Mbit/s, 40 ms, one bandwidth-delay product of queue.
pub(crate) fn path() -> Path {
    Path::default()
}

/// Windows, in bytes, before the first reduction and at its end.
pub(crate) fn window(samples: &[Sample]) -> (u64, u64) {
    let drop = samples
        .windows(2)
        .position(|pair| pair[1].cwnd < pair[0].cwnd)
        .expect("a reduction");
    let end = samples[drop + 1..]
        .windows(2)
        .position(|pair| pair[1].cwnd > pair[0].cwnd)
        .expect("growth after it");
    let lowest = samples[drop + 1..=drop + 1 + end]
        .iter()
        .map(|s| s.cwnd)
        .min();
    (samples[drop].cwnd, lowest.expect("samples"))
}

/// The window at a time, bytes.
pub(crate) fn cwnd_at(samples: &[Sample], time: Duration) -> u64 {
    let index = samples.partition_point(|sample| sample.time <= time);
    samples[index.saturating_sub(1)].cwnd
}

/// The link is dead for half a second, in which the retransmission timer fires.
pub(crate) fn outage() -> Path {
    let (from, to) = (Duration::from_millis(1000), Duration::from_millis(1500));
    Path {
        drops: Drops::Outage(from, to),
        ..path()
    }
}

/// The sample with which recovery from the first loss ends.
pub(crate) fn recovered(samples: &[Sample]) -> usize {
    let entry = samples
        .iter()
        .position(|sample| sample.recovery)
        .expect("a loss");
    let length = samples[entry..].iter().position(|sample| !sample.recovery);
    entry + length.expect("the simulation is long enough")
}

/// The bottleneck's queue over the next while, the packet on the wire included:
/// least, mean and most.
pub(crate) fn standing_queue(sim: &mut Sim, length: Duration) -> (usize, f64, usize) {
    let (mut least, mut sum, mut most) = (usize::MAX, 0, 0);
    let steps = length.as_millis();
    for _ in 0..steps {
        sim.run_for(Duration::from_millis(1));
        let queue = sim.queue();
        least = least.min(queue);
        most = most.max(queue);
        sum += queue;
    }
    (least, sum as f64 / steps as f64, most)
}
