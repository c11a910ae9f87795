// SPDX-License-Identifier: GPL-2.0
//! Events as lines.

use super::{Picture, Watcher};
use crate::{cli::Form, format, show::address, Failure};
use ccp_netlink::Event;
use std::{io::Write, time::Duration};

pub(super) struct Printer {
    form: Form,
    reports: bool,
}

impl Printer {
    pub(super) fn new(form: Form, reports: bool) -> Self {
        Self { form, reports }
    }
}

impl Watcher for Printer {
    fn event(&mut self, time: Duration, event: &Event) -> Result<(), Failure> {
        if matches!(event, Event::Report(_)) && !self.reports {
            return Ok(());
        }
        let seconds = time.as_secs_f64();
        if self.form.json {
            return format::json(&serde_json::json!({"time_s": seconds, "event": event}));
        }
        let text = match event {
            Event::FlowCreated(flow) => format!(
                "{} flow {} {} -> {} algorithm {} cwnd {} mss {}",
                if flow.adopted { "adopted" } else { "created" },
                flow.id,
                address(flow.local),
                address(flow.remote),
                flow.algorithm,
                flow.cwnd,
                flow.mss,
            ),
            Event::FlowClosed(flow) => format!(
                "closed flow {} delivered {} lost {} retransmits {} reports {} fallbacks {}",
                flow.id, flow.delivered, flow.lost, flow.retransmits, flow.reports, flow.fallbacks,
            ),
            Event::FlowFallback(fallback) => format!(
                "fallback flow {} reason {} program {}",
                fallback.flow_id, fallback.reason, fallback.program_id,
            ),
            Event::Report(report) => format!(
                "report flow {} seq {} program {} cwnd {} rate {} fields {:?}",
                report.flow_id,
                report.seq,
                report.program_id,
                report.cwnd,
                format::bit_rate(report.rate),
                report.fields,
            ),
            Event::Overrun => "overrun: events were lost".into(),
            _ => return Ok(()),
        };
        writeln!(std::io::stdout(), "{seconds:10.6} {text}")?;
        Ok(())
    }

    fn interval(&self) -> Option<Duration> {
        None
    }

    fn picture(&mut self, _: &Picture) -> Result<(), Failure> {
        Ok(())
    }
}
