// SPDX-License-Identifier: GPL-2.0
//! Two sockets' events as one queue: what is urgent as it comes, the rest in
//! batches, and what is missing shown as lost.
//!
//! Each socket keeps the order of its kinds. Between the two, an event of the
//! deferred ones comes after all urgent ones that were there before it; urgent
//! ones may overtake it.

use super::sequence::{Counters, Sequence};
use crate::{Event, Kind, Result};
use ccp_netlink::Notification;
use std::{collections::VecDeque, time::Duration};

/// Deferred events taken at once: some milliseconds' work.
const BATCH: usize = 1024;

/// A socket's events.
pub(super) trait Source {
    /// The next one: `None` when the time is up, or early when a signal came.
    fn next(&mut self, timeout: Option<Duration>) -> Result<Option<Event>>;

    /// There may be some without waiting.
    fn has_more(&self) -> bool;

    /// Some are here already.
    fn has_queued(&self) -> bool;
}

/// What is on its way from the sockets to the user.
#[derive(Default)]
pub(super) struct Merge {
    sequence: Sequence,
    /// Next in any case.
    ready: VecDeque<Event>,
    /// Next when the urgent ones are through.
    deferred: VecDeque<Event>,
    /// Urgent ones that are older than `deferred` may be in the socket.
    older: bool,
}

/// An event, behind a sign if others are missing before it.
fn put(sequence: &mut Sequence, queue: &mut VecDeque<Event>, event: Event) {
    if sequence.gap_before(&event) {
        queue.push_back(Event::overrun());
    }
    queue.push_back(event);
}

impl Merge {
    /// Events of these kinds come, those counted so far excepted.
    pub(super) fn start(&mut self, kinds: impl Iterator<Item = Kind>, counters: Option<&Counters>) {
        self.sequence.heed(kinds);
        if let Some(counters) = counters {
            self.sequence.start(counters);
        }
    }

    /// The next event.
    pub(super) fn event(
        &mut self,
        urgent: &mut impl Source,
        timeout: Option<Duration>,
    ) -> Result<Option<Event>> {
        if self.ready.is_empty() && (self.older || self.deferred.is_empty() || urgent.has_more()) {
            let waits = self.deferred.is_empty();
            let timeout = if waits { timeout } else { Some(Duration::ZERO) };
            match urgent.next(timeout)? {
                Some(event) => put(&mut self.sequence, &mut self.ready, event),
                None => self.older = false,
            }
        }
        let event = self.ready.pop_front();
        Ok(event.or_else(|| self.deferred.pop_front()))
    }

    /// A batch of the deferred ones. False when there may be more.
    pub(super) fn take(&mut self, source: &mut impl Source) -> Result<bool> {
        if !self.deferred.is_empty() {
            return Ok(false);
        }
        self.older = true;
        for _ in 0..BATCH {
            let Some(event) = source.next(Some(Duration::ZERO))? else {
                return Ok(true);
            };
            // A loss is told at once: urgent events without end would hide it.
            if event.kind == Kind::Lost || self.sequence.gap_before(&event) {
                self.ready.push_back(Event::overrun());
            }
            if event.kind != Kind::Lost {
                self.deferred.push_back(event);
            }
        }
        Ok(false)
    }

    /// Did `counters` count events that have not come? What the sockets hold
    /// has come; not known if they hold more than a batch.
    pub(super) fn is_behind(
        &mut self,
        urgent: &mut impl Source,
        deferred: Option<&mut impl Source>,
        counters: &Counters,
    ) -> Result<bool> {
        for _ in 0..BATCH {
            let Some(event) = urgent.next(Some(Duration::ZERO))? else {
                let all = deferred.map_or(Ok(true), |source| self.take(source))?;
                return Ok(all && self.sequence.behind(counters));
            };
            put(&mut self.sequence, &mut self.ready, event);
        }
        Ok(false)
    }

    /// See [`super::PathManager::has_more`].
    pub(super) fn has_more(&self, urgent: &impl Source) -> bool {
        !self.ready.is_empty() || !self.deferred.is_empty() || urgent.has_more()
    }

    /// See [`super::PathManager::has_queued`].
    pub(super) fn has_queued(&self, urgent: &impl Source) -> bool {
        let next = !self.older && !urgent.has_more() && !self.deferred.is_empty();
        !self.ready.is_empty() || urgent.has_queued() || next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use std::collections::BTreeMap;

    /// A socket, and whether its last receive call found something.
    #[derive(Default)]
    struct Socket(VecDeque<Event>, bool);

    impl Socket {
        fn hears(&mut self, kind: Kind, seq: u64) {
            let record = Record {
                seq: Some(seq),
                ..Record::default()
            };
            self.0.push_back(Event { kind, record });
        }
    }

    impl Source for Socket {
        fn next(&mut self, _: Option<Duration>) -> Result<Option<Event>> {
            self.1 = !self.0.is_empty();
            Ok(self.0.pop_front())
        }

        fn has_more(&self) -> bool {
            self.1
        }

        fn has_queued(&self) -> bool {
            false
        }
    }

    fn all(merge: &mut Merge, urgent: &mut Socket) -> Vec<(Kind, Option<u64>)> {
        std::iter::from_fn(|| merge.event(urgent, Some(Duration::ZERO)).unwrap())
            .map(|event| (event.kind, event.record.seq))
            .collect()
    }

    #[test]
    fn deferred_events_come_after_older_ones() {
        let (mut merge, mut urgent, mut other) =
            (Merge::default(), Socket::default(), Socket::default());
        urgent.hears(Kind::Established, 1);
        other.hears(Kind::SubflowEstablished, 1);
        assert!(merge.take(&mut other).unwrap());
        assert!(merge.has_more(&urgent) && !merge.has_queued(&urgent));
        let first = merge.event(&mut urgent, None).unwrap().unwrap();
        assert_eq!(first.kind, Kind::Established);
        // An urgent one that is younger overtakes.
        urgent.hears(Kind::Removed, 1);
        let second = merge.event(&mut urgent, None).unwrap().unwrap();
        assert_eq!(second.kind, Kind::Removed);
        let third = merge.event(&mut urgent, None).unwrap().unwrap();
        assert_eq!(third.kind, Kind::SubflowEstablished);
        assert!(!merge.has_more(&urgent));
    }

    #[test]
    fn a_batch_is_bounded_and_handed_out_before_the_next() {
        let (mut merge, mut urgent, mut other) =
            (Merge::default(), Socket::default(), Socket::default());
        for seq in 1..=1500 {
            other.hears(Kind::Closed, seq);
        }
        assert!(!merge.take(&mut other).unwrap());
        assert!(!merge.take(&mut other).unwrap());
        assert_eq!(other.0.len(), 1500 - BATCH);
        assert!(merge.event(&mut urgent, None).unwrap().is_some());
        assert!(merge.has_queued(&urgent));
        assert_eq!(all(&mut merge, &mut urgent).len(), BATCH - 1);
        assert!(merge.take(&mut other).unwrap());
        let last = all(&mut merge, &mut urgent).pop();
        assert_eq!(last, Some((Kind::Closed, Some(1500))));
    }

    #[test]
    fn gaps_show_in_either_queue() {
        let (mut merge, mut urgent, mut other) =
            (Merge::default(), Socket::default(), Socket::default());
        let kinds = [Kind::Established, Kind::Closed];
        merge.start(kinds.into_iter(), Some(&Counters::default()));
        urgent.hears(Kind::Established, 2);
        other.hears(Kind::Closed, 1);
        other.hears(Kind::Closed, 3);
        merge.take(&mut other).unwrap();
        let expected = [
            (Kind::Lost, None),
            (Kind::Lost, None),
            (Kind::Established, Some(2)),
            (Kind::Closed, Some(1)),
            (Kind::Closed, Some(3)),
        ];
        assert_eq!(all(&mut merge, &mut urgent), expected);
    }

    #[test]
    fn what_waits_in_a_socket_is_not_lost() {
        let counted = |closed| Counters {
            last: BTreeMap::from([(Kind::Established, 1), (Kind::Closed, closed)]),
            ..Counters::default()
        };
        for (closed, behind) in [(2, false), (3, true)] {
            let (mut merge, mut urgent, mut other) =
                (Merge::default(), Socket::default(), Socket::default());
            let kinds = [Kind::Established, Kind::Closed];
            merge.start(kinds.into_iter(), Some(&Counters::default()));
            urgent.hears(Kind::Established, 1);
            other.hears(Kind::Closed, 1);
            other.hears(Kind::Closed, 2);
            let found = merge.is_behind(&mut urgent, Some(&mut other), &counted(closed));
            assert_eq!(found.unwrap(), behind);
            assert_eq!(all(&mut merge, &mut urgent).len(), 3);
        }
    }

    #[test]
    fn more_than_a_batch_is_no_loss() {
        let (mut merge, mut urgent, mut other) =
            (Merge::default(), Socket::default(), Socket::default());
        merge.start([Kind::Closed].into_iter(), Some(&Counters::default()));
        for seq in 1..=1500 {
            other.hears(Kind::Closed, seq);
        }
        let counters = Counters {
            last: BTreeMap::from([(Kind::Closed, 1500)]),
            ..Counters::default()
        };
        let found = merge.is_behind(&mut urgent, Some(&mut other), &counters);
        assert!(!found.unwrap());
    }
}
