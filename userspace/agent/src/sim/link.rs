// SPDX-License-Identifier: GPL-2.0
//! The bottleneck: a queue, a rate, and bad luck.

use super::{sender::Packet, Path, Time, WIRE};
use std::{collections::VecDeque, time::Duration};

/// Packets that are lost whatever the queue. Packets count from 1 in the order
/// they reach the link.
#[derive(Clone, Debug)]
pub enum Drops {
    /// None.
    None,
    /// These.
    Packets(Vec<u64>),
    /// All that reach the link in this time.
    Outage(Duration, Duration),
    /// Each with this probability, reproducibly.
    Random {
        /// 0 to 1.
        probability: f64,
        /// Other seeds are other days.
        seed: u64,
    },
}

pub(super) struct Link {
    nanoseconds_per_packet: u64,
    limit: usize,
    mark: Option<usize>,
    drops: Drops,
    random: u64,
    count: u64,
    queue: VecDeque<(usize, Packet)>,
    /// Times at which packets had been sent.
    done: Vec<Time>,
}

/// What became of a packet.
pub(super) enum Passed {
    /// It is sent by then.
    First(Time),
    /// It waits behind others.
    Queued,
    /// It is gone.
    Lost,
}

impl Link {
    pub(super) fn new(path: &Path) -> Self {
        let seed = match path.drops {
            Drops::Random { seed, .. } => seed,
            _ => 0,
        };
        Self {
            nanoseconds_per_packet: u64::from(WIRE) * 8 * 1_000_000_000 / path.rate.max(1),
            limit: path.queue.max(1),
            mark: path.mark,
            drops: path.drops.clone(),
            random: seed ^ 0x9e37_79b9_7f4a_7c15,
            count: 0,
            queue: VecDeque::new(),
            done: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn enqueue(&mut self, flow: usize, mut packet: Packet, now: Time) -> Passed {
        self.count += 1;
        if self.unlucky(now) || self.queue.len() >= self.limit {
            return Passed::Lost;
        }
        packet.marked = self.mark.is_some_and(|mark| self.queue.len() >= mark);
        self.queue.push_back((flow, packet));
        if self.queue.len() == 1 {
            Passed::First(now + self.nanoseconds_per_packet)
        } else {
            Passed::Queued
        }
    }

    /// The first packet has been sent: it, and when the next one will be.
    pub(super) fn sent(&mut self, now: Time) -> Option<((usize, Packet), Option<Time>)> {
        let first = self.queue.pop_front()?;
        self.done.push(now);
        let next = self
            .queue
            .front()
            .map(|_| now + self.nanoseconds_per_packet);
        Some((first, next))
    }

    pub(super) fn busy_since(&self, from: Time, to: Time) -> f64 {
        let packets = self
            .done
            .iter()
            .filter(|&&time| time > from && time <= to)
            .count();
        let busy = packets as u64 * self.nanoseconds_per_packet;
        busy as f64 / to.saturating_sub(from).max(1) as f64
    }

    fn unlucky(&mut self, now: Time) -> bool {
        match &self.drops {
            Drops::None => false,
            Drops::Packets(list) => list.contains(&self.count),
            Drops::Outage(from, to) => (*from..*to).contains(&Duration::from_nanos(now)),
            Drops::Random { probability, .. } => {
                // xorshift64*: good enough for losses, and the same everywhere.
                self.random ^= self.random >> 12;
                self.random ^= self.random << 25;
                self.random ^= self.random >> 27;
                let bits = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
                (bits as f64 / (1_u64 << 53) as f64) < *probability
            }
        }
    }
}
