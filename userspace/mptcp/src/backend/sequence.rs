// SPDX-License-Identifier: GPL-2.0
//! Numbers of events: a gap is a lost one.

use crate::{
    backend::uapi::{attr, module},
    event::{Event, Kind},
};
use ccp_netlink::wire::{malformed, Attributes, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The kernel's counters of a namespace.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counters {
    /// Events that could not be made or queued.
    pub drops: u64,
    /// The number of the last event of each kind.
    pub last: BTreeMap<Kind, u64>,
    /// Extra subflows that are accepted while nobody listens.
    pub join_limit: Option<u32>,
}

/// The kind of event a command number of family `mptcp` stands for.
pub(crate) fn kind(number: u8) -> Option<Kind> {
    Some(match number {
        module::EVENT_CREATED => Kind::Created,
        module::EVENT_ESTABLISHED => Kind::Established,
        module::EVENT_CLOSED => Kind::Closed,
        module::EVENT_ANNOUNCED => Kind::Announced,
        module::EVENT_REMOVED => Kind::Removed,
        module::EVENT_SUB_ESTABLISHED => Kind::SubflowEstablished,
        module::EVENT_SUB_CLOSED => Kind::SubflowClosed,
        module::EVENT_SUB_PRIORITY => Kind::SubflowPriority,
        module::EVENT_SUB_CREATED => Kind::SubflowCreated,
        module::EVENT_FALLBACK => Kind::Fallback,
        _ => return None,
    })
}

impl Counters {
    pub(crate) fn read(attributes: Attributes<'_>) -> ccp_netlink::Result<Self> {
        let mut counters = Self::default();
        for attribute in attributes {
            let attribute = attribute.map_err(malformed("an attribute"))?;
            match attribute.kind() {
                attr::DROPS => counters.drops = attribute.uint()?,
                attr::JOIN_LIMIT => counters.join_limit = Some(attribute.u32()?),
                attr::EVENTS => {
                    let mut number = None;
                    let mut last = 0;
                    for inner in attribute.nest() {
                        let inner = inner.map_err(malformed("an attribute"))?;
                        match inner.kind() {
                            attr::KIND => number = Some(inner.u8()?),
                            attr::SEQ => last = inner.uint()?,
                            _ => {}
                        }
                    }
                    if let Some(kind) = number.and_then(kind) {
                        counters.last.insert(kind, last);
                    }
                }
                _ => {}
            }
        }
        Ok(counters)
    }
}

/// What has been seen so far.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    seen: BTreeMap<Kind, u64>,
    /// What was asked for; of other kinds nothing comes.
    kinds: BTreeSet<Kind>,
    /// The kernel has told its counters: of a kind not seen there was none.
    started: bool,
}

impl Sequence {
    /// Events of these kinds are to come.
    pub(crate) fn heed(&mut self, kinds: impl Iterator<Item = Kind>) {
        self.kinds = kinds.collect();
    }

    /// From now on what comes after `counters` must come.
    pub(crate) fn start(&mut self, counters: &Counters) {
        self.started = true;
        for (&kind, &last) in &counters.last {
            let seen = self.seen.entry(kind).or_default();
            *seen = last.max(*seen);
        }
    }

    /// True when events are missing before this one.
    pub(crate) fn gap_before(&mut self, event: &Event) -> bool {
        let Some(seq) = event.record.seq else {
            return false;
        };
        let seen = self.seen.insert(event.kind, seq);
        let Some(seen) = seen.or(self.started.then_some(0)) else {
            return false;
        };
        self.seen.insert(event.kind, seq.max(seen));
        seq > seen.saturating_add(1)
    }

    /// True when `counters` counted events that have not come; with them seen
    /// from now on.
    pub(crate) fn behind(&mut self, counters: &Counters) -> bool {
        let missed = counters
            .last
            .iter()
            .filter(|(kind, _)| self.kinds.contains(kind))
            .any(|(kind, &last)| self.seen.get(kind).copied().unwrap_or(0) < last);
        self.start(counters);
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Record;

    fn event(kind: Kind, seq: u64) -> Event {
        let record = Record {
            seq: Some(seq),
            ..Record::default()
        };
        Event { kind, record }
    }

    #[test]
    fn gaps_show_per_kind() {
        let mut sequence = Sequence::default();
        sequence.start(&Counters {
            last: BTreeMap::from([(Kind::Created, 4)]),
            ..Counters::default()
        });
        // Queued before the counters were read.
        assert!(!sequence.gap_before(&event(Kind::Created, 4)));
        assert!(!sequence.gap_before(&event(Kind::Created, 5)));
        // There was none before.
        assert!(!sequence.gap_before(&event(Kind::Closed, 1)));
        assert!(sequence.gap_before(&event(Kind::Removed, 2)));
        assert!(sequence.gap_before(&event(Kind::Created, 7)));
        assert!(!sequence.gap_before(&event(Kind::Created, 8)));
        assert!(sequence.gap_before(&event(Kind::Closed, u64::MAX)));
        // Without counters the first one seen is the first one.
        assert!(!Sequence::default().gap_before(&event(Kind::Closed, 9)));
    }

    #[test]
    fn counters_show_what_no_later_event_does() {
        let mut sequence = Sequence::default();
        sequence.heed([Kind::Created, Kind::Closed].into_iter());
        let counted = |last| Counters {
            last: BTreeMap::from([(Kind::Created, last), (Kind::Fallback, last)]),
            ..Counters::default()
        };
        sequence.start(&counted(1));
        assert!(!sequence.behind(&counted(1)));
        assert!(sequence.behind(&counted(2)));
        assert!(!sequence.behind(&counted(2)));
        let closed = Counters {
            last: BTreeMap::from([(Kind::Closed, 1)]),
            ..Counters::default()
        };
        assert!(sequence.behind(&closed));
        // Nobody asked for these.
        let fallback = Counters {
            last: BTreeMap::from([(Kind::Fallback, 9)]),
            ..Counters::default()
        };
        assert!(!sequence.behind(&fallback));
    }
}
