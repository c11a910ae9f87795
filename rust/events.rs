// SPDX-License-Identifier: GPL-2.0

//! Reports and events about flows, to the agent in charge and to listeners.
//!
//! Delivery is lossy: what finds no room is counted and gone. Reports are
//! numbered, so that the loss shows.
//!
//! C side: `c-shim/events.c`. Based on `docs/netlink/specs/ccp.yaml`.

use crate::{
    flows::Flow,
    portus_hook,
    shim::{
        Counter,
        FlowEvent,
        Report,
        Sock, //
    },
    tcp::Ack,
    vm::isa::REPORTS,
};

fn send(flow: &Flow, sk: Sock<'_>, event: FlowEvent, adopted: bool) {
    if !sk.send_event(flow.port(), event, &flow.info(), adopted) {
        flow.net.shim.count(Counter::EventsDropped);
    }
}

/// The flow exists, and the agent is in charge of it.
pub(crate) fn created(flow: &mut Flow, sk: Sock<'_>, adopted: bool) {
    send(flow, sk, FlowEvent::Created, adopted);
    portus_hook::created(flow, sk);
}

/// The flow is about to go.
pub(crate) fn closed(flow: &Flow, sk: Sock<'_>) {
    send(flow, sk, FlowEvent::Closed, false);
    portus_hook::closed(flow);
}

/// The flow went to the fallback program.
pub(crate) fn fallback(flow: &Flow, sk: Sock<'_>) {
    send(flow, sk, FlowEvent::Fallback, false);
}

/// The program asked for a report; `cwnd` (packets) and `rate` (bytes per
/// second) are what it leaves behind.
pub(crate) fn report(flow: &mut Flow, sk: Sock<'_>, ack: &Ack, cwnd: u32, rate: u64) {
    flow.counts.reports = flow.counts.reports.wrapping_add(1);
    let (id, seq, port, program) = (flow.id, flow.counts.reports, flow.port(), flow.running.id);
    let (state, code, file) = flow.machine();
    let mut fields = [0u64; REPORTS as usize];
    let mut count = 0u32;
    for (to, from) in fields.iter_mut().zip(state.report(code, file)) {
        *to = from;
        count = count.wrapping_add(1);
    }
    let report = Report {
        flow: id,
        seq,
        time_us: ack.now_us,
        cwnd: u64::from(cwnd).saturating_mul(u64::from(ack.mss)),
        rate,
        fields: fields.as_ptr(),
        nfields: count,
        program,
    };
    let sent = sk.send_report(port, &report);
    state.reset_volatile(code, file);
    let count = count as usize;
    let sent = sent && portus_hook::report(flow, fields.get(..count).unwrap_or(&fields));
    if !sent {
        flow.counts.report_drops = flow.counts.report_drops.wrapping_add(1);
        flow.net.shim.count(Counter::ReportDrops);
    }
}
