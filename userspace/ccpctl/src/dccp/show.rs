// SPDX-License-Identifier: GPL-2.0
//! `ccpctl dccp show` and `monitor`.

use super::half::{self, Half};
use crate::{
    cli::{DccpMonitorArgs, Form},
    format::{json, scaled, table},
    Failure,
};
use std::{
    io::Write,
    time::{Duration, Instant},
};

const HEAD: [&str; 10] = [
    "ID", "DIR", "LOCAL", "REMOTE", "N", "J", "P", "RTT_MS", "RATE", "RECEIVED",
];

pub(super) fn show(form: Form) -> Result<(), Failure> {
    let halves = half::all()?;
    if form.json {
        return json(&halves);
    }
    let rows: Vec<Vec<String>> = halves.iter().map(row).collect();
    let mut out = std::io::stdout().lock();
    table(&mut out, &HEAD, &rows)?;
    Ok(out.flush()?)
}

pub(super) fn monitor(form: Form, args: &DccpMonitorArgs) -> Result<(), Failure> {
    let length = args
        .seconds
        .map(Duration::try_from_secs_f64)
        .transpose()
        .map_err(|error| Failure::Input(format!("--seconds: {error}")))?;
    let begin = Instant::now();
    loop {
        show(form)?;
        let left = length.map(|length| length.saturating_sub(begin.elapsed()));
        if left == Some(Duration::ZERO) {
            return Ok(());
        }
        let step = Duration::from_millis(args.interval);
        std::thread::sleep(left.map_or(step, |left| left.min(step)));
    }
}

fn or_dash(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{value:.decimals$}"))
}

fn row(half: &Half) -> Vec<String> {
    vec![
        half.id.to_string(),
        half.direction.clone(),
        half.local.clone(),
        half.remote.clone(),
        or_dash(half.n, 2),
        or_dash(half.j, 2),
        or_dash(half.p, 6),
        or_dash(half.rtt.map(|rtt| rtt * 1e3), 1),
        half.rate
            .map_or_else(|| "-".into(), |rate| scaled(rate * 8.0)),
        scaled(half.received * 8.0),
    ]
}
