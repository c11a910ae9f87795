// SPDX-License-Identifier: GPL-2.0
//! A table of flows every second, in plain lines that a serial console or a
//! log can take.

use super::{record::payload, Picture, Watcher};
use crate::{
    format::{bit_rate, ms, scaled, table},
    show::{address, runs},
    Failure,
};
use ccp_netlink::{Event, FlowInfo};
use std::{cmp::Reverse, collections::HashMap, io::Write, time::Duration};

/// Flows in one table: those that moved most.
const ROWS: usize = 20;

pub(super) struct Table {
    interval: Duration,
    last: Duration,
    /// Packets delivered at the last picture.
    delivered: HashMap<u64, u32>,
}

impl Table {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: Duration::ZERO,
            delivered: HashMap::new(),
        }
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
        writeln!(std::io::stdout(), "-- {:.1}s {text}", time.as_secs_f64())?;
        Ok(())
    }

    fn interval(&self) -> Option<Duration> {
        Some(self.interval)
    }

    fn picture(&mut self, picture: &Picture) -> Result<(), Failure> {
        let span = picture.time.saturating_sub(self.last).as_secs_f64();
        let progress = |flow: &FlowInfo| {
            let before = self.delivered.get(&flow.id);
            before.map_or(0, |&before| payload(flow, before))
        };
        let mut flows: Vec<&FlowInfo> = picture.flows.iter().collect();
        flows.sort_by_key(|flow| (Reverse(progress(flow)), flow.id));
        let rows: Vec<Vec<String>> = flows
            .iter()
            .take(ROWS)
            .map(|flow| {
                let goodput = if span > 0.0 {
                    progress(flow) as f64 * 8.0 / span
                } else {
                    0.0
                };
                vec![
                    flow.id.to_string(),
                    address(flow.remote),
                    runs(flow, &picture.programs),
                    flow.cwnd.to_string(),
                    scaled(goodput),
                    bit_rate(flow.rate),
                    ms(flow.srtt_us),
                    flow.delivered.to_string(),
                    flow.lost.to_string(),
                    flow.reports.to_string(),
                ]
            })
            .collect();
        self.delivered = picture
            .flows
            .iter()
            .map(|flow| (flow.id, flow.delivered))
            .collect();
        self.last = picture.time;

        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "-- {:.1}s {} flows, {} agents",
            picture.time.as_secs_f64(),
            picture.flows.len(),
            picture.agents.len()
        )?;
        if !rows.is_empty() {
            let head = [
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
            table(&mut out, &head, &rows)?;
        }
        if flows.len() > ROWS {
            writeln!(out, "... and {} more", flows.len() - ROWS)?;
        }
        Ok(out.flush()?)
    }
}
