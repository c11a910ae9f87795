// SPDX-License-Identifier: GPL-2.0
//! Half-connections as /proc/net/ccp_dccp tells of them.

use crate::Failure;
use serde::Serialize;
use std::{collections::BTreeMap, io};

const FILE: &str = "/proc/thread-self/net/ccp_dccp";

/// A sender or a receiver. Rates are bytes per second, times seconds.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Half {
    pub(super) id: u32,
    pub(super) direction: String,
    pub(super) local: String,
    pub(super) remote: String,
    /// None of a receiver whose sender didn't say yet.
    pub(super) n: Option<f64>,
    /// None before the first loss.
    pub(super) j: Option<f64>,
    pub(super) p: Option<f64>,
    /// None while it is unknown.
    pub(super) rtt: Option<f64>,
    pub(super) size: u64,
    /// Of a sender: what it may send.
    pub(super) rate: Option<f64>,
    /// Of a sender: what the equation gives.
    pub(super) calculated: Option<f64>,
    pub(super) received: f64,
    /// Of a receiver.
    pub(super) loss_events: Option<u64>,
    pub(super) lost: Option<u64>,
}

pub(super) fn all() -> Result<Vec<Half>, Failure> {
    let text = std::fs::read_to_string(FILE)
        .map_err(|error| unusable(&error).unwrap_or_else(|| format!("{FILE}: {error}")))
        .map_err(Failure::System)?;
    text.lines().map(parse).collect()
}

/// Chooses N of a sender.
pub(super) fn set(id: u32, n: f64) -> Result<(), Failure> {
    if !(n > 0.0 && n <= 64.0) {
        return Err(Failure::Input(format!(
            "N {n} is not above 0 and at most 64"
        )));
    }
    std::fs::write(FILE, format!("{id} {n:.6}\n")).map_err(|error| {
        Failure::System(match error.kind() {
            // The sender isn't found, the file is.
            io::ErrorKind::NotFound if std::path::Path::new(FILE).exists() => {
                format!("no sender {id} here; see 'ccpctl dccp show'")
            }
            _ if error.raw_os_error() == Some(libc::EOPNOTSUPP) => format!(
                "{id} is a receiver, whose N is that of the sender at the other end; see DIR of \
                 'ccpctl dccp show'"
            ),
            io::ErrorKind::ResourceBusy => {
                format!("sender {id} has sent packets: its N can't change any more")
            }
            io::ErrorKind::StorageFull => format!(
                "with N = {n} the senders would add up to more than parameter ccid5_max_flows \
                 of ccp_rs, or its user's to more than ccid5_user_flows"
            ),
            _ => unusable(&error).unwrap_or_else(|| format!("sender {id}, N = {n}: {error}")),
        })
    })
}

/// Why the file can't be used at all.
fn unusable(error: &io::Error) -> Option<String> {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Some("no CCID 5 here: load ccp_rs on a kernel for which it says 'dccp yes'".to_owned())
        }
        io::ErrorKind::PermissionDenied => Some(format!("{FILE}: {error}: only root may")),
        _ => None,
    }
}

fn parse(line: &str) -> Result<Half, Failure> {
    read(line).ok_or_else(|| {
        Failure::System(format!(
            "{FILE}: this ccpctl does not understand '{line}'; is the module another version?"
        ))
    })
}

fn read(line: &str) -> Option<Half> {
    let fields: BTreeMap<&str, &str> = line
        .split(' ')
        .map(|field| field.split_once('='))
        .collect::<Option<_>>()?;
    let number = |name: &str| fields.get(name)?.parse::<u64>().ok();
    let fixed = |name: &str| number(name).map(|value| value as f64 / 65536.0);
    let rate = |name: &str| number(name).map(|value| value as f64 / 64.0);
    let some = |value: f64| (value > 0.0).then_some(value);
    Some(Half {
        id: number("half")?.try_into().ok()?,
        direction: (*fields.get("dir")?).to_owned(),
        local: (*fields.get("local")?).to_owned(),
        remote: (*fields.get("remote")?).to_owned(),
        n: some(fixed("n")?),
        j: some(fixed("j")?),
        p: some(fixed("interval")?).map(|interval| 1.0 / interval),
        rtt: some(number("rtt_ns")? as f64 / 1e9),
        size: number("s")?,
        rate: rate("x"),
        calculated: rate("x_calc").and_then(some),
        received: rate("x_recv")?,
        loss_events: number("events"),
        lost: number("lost"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_and_receivers_are_read() {
        let sender = read(
            "half=3 dir=tx local=10.0.1.1:40000 remote=10.0.2.2:5001 state=2 n=393216 j=196608 \
             interval=6553600 rtt_ns=50000000 s=1000 x=52272160 x_calc=52272160 x_recv=51200000 \
             rto_ns=200000000 ipi_ns=1224000",
        )
        .expect("a sender");
        assert_eq!(
            (sender.n, sender.j, sender.p),
            (Some(6.0), Some(3.0), Some(0.01))
        );
        assert_eq!((sender.rtt, sender.rate), (Some(0.05), Some(816_752.5)));
        assert_eq!(sender.lost, None);
        let receiver = read(
            "half=4 dir=rx local=[fd00::1]:5001 remote=[fd00::2]:40000 state=1 n=0 j=0 interval=0 \
             rtt_ns=0 s=0 x_recv=0 events=0 lost=0",
        )
        .expect("a receiver");
        assert_eq!(
            (receiver.n, receiver.p, receiver.rtt, receiver.rate),
            (None, None, None, None)
        );
        assert_eq!(receiver.lost, Some(0));
        assert!(read("half=4").is_none());
    }
}
