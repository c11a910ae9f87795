// SPDX-License-Identifier: GPL-2.0
//! `ccpctl mptcp monitor`: events as lines.

use crate::{
    cli::{Form, MptcpMonitorArgs},
    format, stop, Failure,
};
use ccp_mptcp::{backend::PathManager, Event, Kind};
use std::{
    fmt::Write as _,
    io::Write as _,
    net::IpAddr,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// Longest wait for an event, so that the stop flag is seen.
const PATIENCE: Duration = Duration::from_millis(500);

pub(super) fn run(
    form: Form,
    manager: &mut dyn PathManager,
    args: &MptcpMonitorArgs,
) -> Result<(), Failure> {
    let stop = stop::on_signal()?;
    let limit = args.seconds.map(Duration::try_from_secs_f64);
    let end = limit.map(|limit| Instant::now() + limit.unwrap_or(Duration::MAX / 4));
    manager.subscribe(&Kind::ALL, &[])?;
    while !stop.load(Ordering::Relaxed) {
        let left = end.map_or(PATIENCE, |end| {
            end.saturating_duration_since(Instant::now()).min(PATIENCE)
        });
        if let Some(event) = manager.event(Some(left))? {
            if form.json {
                format::json(&event)?;
            } else {
                writeln!(std::io::stdout(), "{}", line(&event, form.details))?;
            }
        } else if left.is_zero() {
            break;
        }
    }
    Ok(())
}

/// The name iproute2 gives it.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Created => "CREATED",
        Kind::Established => "ESTABLISHED",
        Kind::Closed => "CLOSED",
        Kind::Announced => "ANNOUNCED",
        Kind::Removed => "REMOVED",
        Kind::SubflowCreated => "SF_CREATED",
        Kind::SubflowEstablished => "SF_ESTABLISHED",
        Kind::SubflowClosed => "SF_CLOSED",
        Kind::SubflowPriority => "SF_PRIO",
        Kind::Fallback => "FALLBACK",
        Kind::ListenerCreated => "LISTENER_CREATED",
        Kind::ListenerClosed => "LISTENER_CLOSED",
        Kind::Lost => "EVENTS_LOST",
        _ => "UNKNOWN",
    }
}

fn text<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn bit(value: Option<bool>) -> Option<String> {
    text(value.map(u8::from))
}

fn line(event: &Event, details: bool) -> String {
    let record = &event.record;
    let mut line = format!("[{:>14}]", name(event.kind));
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = write!(line, " {name}={value}");
        }
    };
    let v4 = |ip: Option<IpAddr>| text(ip.filter(IpAddr::is_ipv4));
    let v6 = |ip: Option<IpAddr>| text(ip.filter(IpAddr::is_ipv6));
    add("token", record.token.map(|token| format!("{token:08x}")));
    add("remid", text(record.remote_id));
    add("locid", text(record.local_id));
    add("saddr4", v4(record.local));
    add("saddr6", v6(record.local));
    add("daddr4", v4(record.remote));
    add("daddr6", v6(record.remote));
    add("sport", text(record.local_port));
    add("dport", text(record.remote_port));
    add("backup", bit(record.backup));
    add("error", text(record.error));
    add("flags", record.flags.map(|flags| format!("{flags:x}")));
    add("ifindex", text(record.ifindex.filter(|index| *index != 0)));
    if let Some(reset) = record.reset {
        add("reset_reason", text(Some(reset.reason)));
        add("reset_flags", text(Some(u8::from(reset.transient))));
    }
    add("server_side", bit(record.server_side));
    add(
        "deny_join_id0",
        bit(record.deny_join_id0.filter(|deny| *deny)),
    );
    if details {
        add("subflow", text(record.subflow));
        add("seq", text(record.seq));
        add("drops", text(record.drops));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccp_mptcp::{Record, Reset};

    #[test]
    fn lines_are_those_of_iproute2() {
        let record = Record {
            token: Some(0x00ab_cdef),
            remote_id: Some(0),
            local_id: Some(0),
            local: Some("10.0.1.1".parse().unwrap()),
            remote: Some("10.0.2.2".parse().unwrap()),
            local_port: Some(4000),
            remote_port: Some(5201),
            ..Record::default()
        };
        let mut event = Event {
            kind: Kind::Created,
            record,
        };
        assert_eq!(
            line(&event, false),
            "[       CREATED] token=00abcdef remid=0 locid=0 \
             saddr4=10.0.1.1 daddr4=10.0.2.2 sport=4000 dport=5201"
        );
        event.kind = Kind::SubflowClosed;
        event.record.local = Some("fd00::1".parse().unwrap());
        event.record.remote = None;
        event.record.backup = Some(false);
        event.record.error = Some(111);
        event.record.seq = Some(3);
        event.record.reset = Some(Reset {
            reason: 2,
            transient: true,
        });
        assert_eq!(
            line(&event, true),
            "[     SF_CLOSED] token=00abcdef remid=0 locid=0 saddr6=fd00::1 sport=4000 \
             dport=5201 backup=0 error=111 reset_reason=2 reset_flags=1 seq=3"
        );
        assert_eq!(
            serde_json::to_value(&event).unwrap(),
            serde_json::json!({
                "event": "subflow-closed", "token": "00abcdef", "remote_id": 0, "local_id": 0,
                "local": "fd00::1", "local_port": 4000, "remote_port": 5201, "backup": false,
                "error": 111, "reset": {"reason": 2, "transient": true}, "seq": 3,
            })
        );
    }
}
