// SPDX-License-Identifier: GPL-2.0
//! A table of flows every second, in plain lines that a serial console or a
//! log can take.

use super::{record::payload, Picture, Watcher};
use crate::{
    format::{bit_rate, ms, scaled},
    show::{address, runs},
    Failure,
};
use ccp_netlink::{Event, FlowInfo};
use std::{cmp::Reverse, collections::HashMap, io::Write, time::Duration};

/// Flows in one table: those that moved most.
const ROWS: usize = 20;
/// Lines before the head is repeated.
const PAGE: usize = 20;
const HEAD: [&str; 11] = [
    "TIME",
    "FLOW",
    "PEER",
    "PROGRAM",
    "CWND",
    "GOODPUT",
    "PACING",
    "RTT-MS",
    "DELIVERED",
    "LOST",
    "REPORTS",
];
/// Columns of text; the others have numbers.
const TEXT: [usize; 2] = [2, 3];

type Row = [String; HEAD.len()];

pub(super) struct Table {
    interval: Duration,
    last: Duration,
    /// Packets delivered at the last picture.
    delivered: HashMap<u64, u32>,
    /// Of the columns. They only grow: lines stay below each other.
    widths: [usize; HEAD.len()],
    /// The flows of the last picture.
    shown: Vec<u64>,
    /// Lines since the head.
    page: usize,
}

impl Table {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: Duration::ZERO,
            delivered: HashMap::new(),
            widths: HEAD.map(|title| title.len().max(6)),
            shown: Vec::new(),
            page: 0,
        }
    }

    fn row(&self, picture: &Picture, flow: &FlowInfo) -> Row {
        let span = picture.time.saturating_sub(self.last).as_secs_f64();
        let goodput = match self.delivered.get(&flow.id) {
            Some(&before) if span > 0.0 => scaled(payload(flow, before) as f64 * 8.0 / span),
            _ => "-".into(),
        };
        [
            format!("{:.1}s", picture.time.as_secs_f64()),
            flow.id.to_string(),
            address(flow.remote),
            runs(flow, &picture.programs),
            flow.cwnd.to_string(),
            goodput,
            bit_rate(flow.rate),
            ms(flow.srtt_us),
            flow.delivered.to_string(),
            flow.lost.to_string(),
            flow.reports.to_string(),
        ]
    }

    /// The next lines of the table.
    fn lines(&mut self, picture: &Picture) -> Vec<String> {
        let progress = |flow: &FlowInfo| {
            let before = self.delivered.get(&flow.id);
            before.map_or(0, |&before| payload(flow, before))
        };
        let mut flows: Vec<&FlowInfo> = picture.flows.iter().collect();
        flows.sort_by_key(|flow| (Reverse(progress(flow)), flow.id));
        let rest = flows.len().saturating_sub(ROWS);
        flows.truncate(ROWS);
        let rows: Vec<Row> = flows.iter().map(|flow| self.row(picture, flow)).collect();
        let mut shown: Vec<u64> = flows.iter().map(|flow| flow.id).collect();
        shown.sort_unstable();
        self.delivered = picture
            .flows
            .iter()
            .map(|flow| (flow.id, flow.delivered))
            .collect();
        self.last = picture.time;

        let mut lines = Vec::new();
        let wider = self.widen(&rows);
        if !rows.is_empty() && (wider || shown != self.shown || self.page >= PAGE) {
            lines.push(self.line(&HEAD));
            self.page = 0;
        }
        self.page += rows.len();
        self.shown = shown;
        lines.extend(rows.iter().map(|row| self.line(row)));
        if rest > 0 {
            lines.push(format!("... and {rest} more"));
        }
        lines
    }

    /// True when a column has become wider.
    fn widen(&mut self, rows: &[Row]) -> bool {
        let before = self.widths;
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        self.widths != before
    }

    fn line<T: AsRef<str>>(&self, cells: &[T]) -> String {
        let padded: Vec<String> = cells
            .iter()
            .map(AsRef::as_ref)
            .zip(self.widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                if TEXT.contains(&column) {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            })
            .collect();
        padded.join(" ").trim_end().to_owned()
    }
}

impl Watcher for Table {
    fn event(&mut self, time: Duration, event: &Event) -> Result<(), Failure> {
        let text = match event {
            Event::FlowFallback(fallback) => {
                format!("flow {} fell back: {}", fallback.flow_id, fallback.reason)
            }
            Event::FlowCreated(flow) if flow.adopted => format!("flow {} adopted", flow.id),
            Event::Overrun => "events were lost".into(),
            _ => return Ok(()),
        };
        let width = self.widths[0];
        let seconds = format!("{:.1}s", time.as_secs_f64());
        writeln!(std::io::stdout(), "{seconds:>width$} ** {text}")?;
        Ok(())
    }

    fn interval(&self) -> Option<Duration> {
        Some(self.interval)
    }

    fn picture(&mut self, picture: &Picture) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        for line in self.lines(picture) {
            writeln!(out, "{line}")?;
        }
        Ok(out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_below_each_other() {
        let mut table = Table::new(Duration::from_secs(1));
        let flow = |delivered| FlowInfo {
            id: 2,
            mss: 1000,
            delivered,
            ..FlowInfo::default()
        };
        let picture = |seconds, flows| Picture {
            time: Duration::from_secs(seconds),
            flows,
            agents: Vec::new(),
            programs: HashMap::from([(0, "fallback".into())]),
        };
        let head =
            "  TIME   FLOW PEER   PROGRAM    CWND GOODPUT PACING RTT-MS DELIVERED   LOST REPORTS";
        let first =
            "  1.0s      2 -      fallback      0       -      0      -         0      0       0";
        let second =
            "  2.0s      2 -      fallback      0    1.0M      0      -       125      0       0";
        assert_eq!(table.lines(&picture(1, vec![flow(0)])), [head, first]);
        assert_eq!(table.lines(&picture(2, vec![flow(125)])), [second]);
        assert!(table.lines(&picture(3, Vec::new())).is_empty());
        assert_eq!(table.lines(&picture(4, vec![flow(125)])).len(), 2);
    }
}
