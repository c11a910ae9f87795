// SPDX-License-Identifier: GPL-2.0
//! What is on the screen, and what keys change.

use crate::watch::{
    record::{payload, queued},
    Picture,
};
use ccp_netlink::FlowInfo;
use ratatui::{crossterm::event::KeyCode, widgets::TableState};
use std::collections::{HashMap, VecDeque};

/// Samples kept of each flow: more than a terminal is wide.
const KEPT: usize = 400;

/// What flows are sorted by, the largest first.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Order {
    Goodput,
    Rtt,
    Cwnd,
    Queue,
    Lost,
    Id,
}

impl Order {
    const ALL: [Self; 6] = [
        Self::Goodput,
        Self::Rtt,
        Self::Cwnd,
        Self::Queue,
        Self::Lost,
        Self::Id,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Goodput => "goodput",
            Self::Rtt => "RTT",
            Self::Cwnd => "cwnd",
            Self::Queue => "queue",
            Self::Lost => "lost",
            Self::Id => "id",
        }
    }

    fn next(self) -> Self {
        let place = Self::ALL.iter().position(|&order| order == self);
        Self::ALL[place.map_or(0, |place| (place + 1) % Self::ALL.len())]
    }
}

/// The past of a flow, oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Bits per second.
    pub(super) goodput: VecDeque<u64>,
    /// Microseconds.
    pub(super) srtt: VecDeque<u64>,
    /// Packets.
    pub(super) cwnd: VecDeque<u64>,
}

fn keep(values: &mut VecDeque<u64>, value: u64) {
    if values.len() == KEPT {
        values.pop_front();
    }
    values.push_back(value);
}

pub(super) struct Row {
    pub(super) flow: FlowInfo,
    /// Bits per second; none in a flow's first picture.
    pub(super) goodput: Option<f64>,
    /// Packets.
    pub(super) queue: Option<f64>,
}

pub(super) struct State {
    picture: Picture,
    pub(super) rows: Vec<Row>,
    pub(super) history: HashMap<u64, History>,
    pub(super) order: Order,
    pub(super) paused: bool,
    /// The flow whose past is drawn.
    chosen: Option<u64>,
    pub(super) table: TableState,
}

impl State {
    pub(super) fn new(picture: Picture) -> Self {
        let mut state = Self {
            picture: Picture::default(),
            rows: Vec::new(),
            history: HashMap::new(),
            order: Order::Goodput,
            paused: false,
            chosen: None,
            table: TableState::default(),
        };
        state.show(picture);
        state
    }

    pub(super) fn picture(&self) -> &Picture {
        &self.picture
    }

    /// Goes on to the next picture. While paused, only the past grows.
    pub(super) fn show(&mut self, picture: Picture) {
        let before: HashMap<u64, u32> = self
            .picture
            .flows
            .iter()
            .map(|flow| (flow.id, flow.delivered))
            .collect();
        let span = picture.time.saturating_sub(self.picture.time).as_secs_f64();
        let mut history = HashMap::new();
        let mut rows = Vec::new();
        for flow in &picture.flows {
            let goodput = before
                .get(&flow.id)
                .filter(|_| span > 0.0)
                .map(|&before| payload(flow, before) as f64 * 8.0 / span);
            let mut past: History = self.history.remove(&flow.id).unwrap_or_default();
            if let Some(goodput) = goodput {
                keep(&mut past.goodput, goodput as u64);
            }
            keep(&mut past.srtt, flow.srtt_us.into());
            keep(&mut past.cwnd, flow.cwnd.into());
            history.insert(flow.id, past);
            rows.push(Row {
                goodput,
                queue: queued(flow),
                flow: flow.clone(),
            });
        }
        self.history = history;
        self.picture = picture;
        if !self.paused {
            self.rows = rows;
            self.sort();
        }
    }

    pub(super) fn key(&mut self, key: KeyCode) {
        match key {
            KeyCode::Down | KeyCode::Char('j') => self.choose(1),
            KeyCode::Up | KeyCode::Char('k') => self.choose(-1),
            KeyCode::Char('s') => {
                self.order = self.order.next();
                self.sort();
            }
            KeyCode::Char(' ') => self.paused = !self.paused,
            _ => {}
        }
    }

    fn choose(&mut self, step: isize) {
        let place = self.table.selected().unwrap_or(0);
        let last = self.rows.len().saturating_sub(1);
        let place = place.saturating_add_signed(step).min(last);
        self.chosen = self.rows.get(place).map(|row| row.flow.id);
        self.table.select(self.chosen.map(|_| place));
    }

    fn sort(&mut self) {
        let order = self.order;
        let key = |row: &Row| match order {
            Order::Goodput => row.goodput.unwrap_or(0.0),
            Order::Rtt => row.flow.srtt_us.into(),
            Order::Cwnd => row.flow.cwnd.into(),
            Order::Queue => row.queue.unwrap_or(0.0),
            Order::Lost => row.flow.lost.into(),
            Order::Id => 0.0,
        };
        self.rows.sort_by(|a, b| {
            let larger = key(b).total_cmp(&key(a));
            larger.then(a.flow.id.cmp(&b.flow.id))
        });
        // The choice stays with its flow; when that is gone, with the first.
        let place = self
            .rows
            .iter()
            .position(|row| Some(row.flow.id) == self.chosen)
            .or((!self.rows.is_empty()).then_some(0));
        self.chosen = place.map(|place| self.rows[place].flow.id);
        self.table.select(place);
    }

    /// The flow whose past is drawn, with that past.
    pub(super) fn chosen(&self) -> Option<(u64, &History)> {
        let id = self.chosen?;
        Some((id, self.history.get(&id)?))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::time::Duration;

    /// Flow 1 is twice as fast as flow 2, whose RTT is longer.
    pub(in super::super) fn picture(seconds: u64) -> Picture {
        let flow = |id: u64, packets: u32, srtt_us| FlowInfo {
            id,
            cwnd: 10,
            mss: 1000,
            srtt_us,
            min_rtt_us: 10_000,
            in_flight: 10,
            delivered: packets * u32::try_from(seconds).unwrap(),
            ..FlowInfo::default()
        };
        Picture {
            time: Duration::from_secs(seconds),
            flows: vec![flow(2, 125, 40_000), flow(1, 250, 20_000)],
            programs: HashMap::from([(0, "fallback".into())]),
            ..Picture::default()
        }
    }

    fn ids(state: &State) -> Vec<u64> {
        state.rows.iter().map(|row| row.flow.id).collect()
    }

    #[test]
    fn sorted_by_what_is_asked_for() {
        let mut state = State::new(picture(1));
        assert!(state.rows[0].goodput.is_none());
        state.show(picture(2));
        assert_eq!(ids(&state), [1, 2]);
        assert_eq!(state.rows[0].goodput, Some(2_000_000.0));
        assert_eq!(state.rows[1].queue, Some(7.5));
        state.key(KeyCode::Char('s'));
        assert_eq!((state.order, ids(&state)), (Order::Rtt, vec![2, 1]));
        for _ in 1..Order::ALL.len() {
            state.key(KeyCode::Char('s'));
        }
        assert_eq!(state.order, Order::Goodput);
    }

    #[test]
    fn the_choice_stays_with_its_flow() {
        let mut state = State::new(picture(1));
        state.show(picture(2));
        state.key(KeyCode::Down);
        state.key(KeyCode::Down);
        assert_eq!(state.chosen().unwrap().0, 2);
        state.key(KeyCode::Char('s'));
        assert_eq!(
            (state.chosen().unwrap().0, state.table.selected()),
            (2, Some(0))
        );
        let mut without = picture(3);
        without.flows.remove(0);
        state.show(without);
        assert_eq!(state.chosen().unwrap().0, 1);
        state.show(Picture::default());
        assert!(state.chosen().is_none());
        state.key(KeyCode::Up);
        assert!(state.chosen().is_none());
    }

    #[test]
    fn a_pause_keeps_the_rows_and_the_past_goes_on() {
        let mut state = State::new(picture(1));
        state.key(KeyCode::Char(' '));
        state.show(picture(2));
        assert!(state.rows[0].goodput.is_none());
        assert_eq!(state.history[&1].goodput, [2_000_000]);
        state.key(KeyCode::Char(' '));
        state.show(picture(3));
        assert_eq!(state.rows[0].goodput, Some(2_000_000.0));
    }

    #[test]
    fn the_past_is_bounded() {
        let mut state = State::new(picture(0));
        for second in 1..=2 * KEPT as u64 {
            state.show(picture(second));
        }
        assert_eq!(state.history[&1].goodput.len(), KEPT);
    }
}
