// SPDX-License-Identifier: GPL-2.0
//! `ccpctl dccp calc`: the equation as the module evaluates it.

use crate::{
    cli::{CalcArgs, Form},
    format::json,
    Failure,
};
use ccp_core::multfrc::{Conditions, Weight};
use std::io::Write;

/// 2^16, of N, j and 1/p.
const ONE: f64 = 65536.0;
/// The module's rates are in 64ths of a byte per second.
const RATE: f64 = 64.0;
/// The rate is proportional to the packet: of a packet larger by this, the
/// module's whole numbers tell more digits.
const ENLARGED: u32 = 1 << 16;
/// Longest loss interval, 2^-16 packets: p near 0.
const ENDLESS: u64 = 1 << 62;

/// Sizes and times as the module has them.
struct Path {
    weight: Weight,
    size: u32,
    /// In units of `unit` seconds.
    rtt: u32,
    unit: f64,
    lost: u32,
}

pub(super) fn calc(form: Form, args: &CalcArgs) -> Result<(), Failure> {
    let path = Path::new(args)?;
    let (name, value) = match (args.p, args.x) {
        (Some(p), _) => ("x", path.rate(p)?),
        (None, Some(x)) => ("p", path.loss(x)?),
        (None, None) => return Err(Failure::Input("give --p, or --inverse and --x".into())),
    };
    if form.json {
        return json(&serde_json::json!({ name: value }));
    }
    let mut out = std::io::stdout().lock();
    match name {
        "x" => writeln!(out, "rate in bytes/s: {value}")?,
        _ => writeln!(out, "loss event rate: {value}")?,
    }
    Ok(out.flush()?)
}

/// A value within its bounds, which are part of it.
fn within(name: &str, value: f64, least: f64, most: f64) -> Result<f64, Failure> {
    if value >= least && value <= most {
        Ok(value)
    } else {
        Err(Failure::Input(format!(
            "--{name} {value} is not from {least} to {most}"
        )))
    }
}

/// A value above 0.
fn positive(name: &str, value: f64, most: f64) -> Result<f64, Failure> {
    if value > 0.0 && value <= most {
        Ok(value)
    } else {
        Err(Failure::Input(format!(
            "--{name} {value} is not above 0 and at most {most}"
        )))
    }
}

impl Path {
    fn new(args: &CalcArgs) -> Result<Self, Failure> {
        let size = within("s", args.size, 1.0, 65535.0)?;
        if size.fract() != 0.0 {
            return Err(Failure::Input(format!("--s {size} is not a whole number")));
        }
        let flows = positive("n", args.n, 64.0)?;
        let weight = Weight::new((flows * ONE).round() as u32)
            .ok_or_else(|| Failure::Input(format!("--n {flows} is less than 2^-17")))?;
        let rtt = within("rtt", args.rtt, 1e-6, 4294.0)?;
        // The rate is inversely proportional to the time: nanoseconds do as
        // well as microseconds, and matter where the time is short.
        let unit = if rtt < 0.5 { 1e-9 } else { 1e-6 };
        Ok(Self {
            weight,
            size: size as u32,
            rtt: (rtt / unit).round() as u32,
            unit,
            lost: (within("j", args.j, 1.0, 65535.0)? * ONE).round() as u32,
        })
    }

    fn conditions(&self, interval: u64, enlarged: u32) -> Conditions {
        Conditions {
            size: self.size.saturating_mul(enlarged),
            rtt: self.rtt,
            interval,
            lost: self.lost,
        }
    }

    /// Bytes per second at a loss interval in 2^-16 packets.
    fn at(&self, interval: u64) -> f64 {
        // p = 1: a packet per 64 seconds, whatever the round-trip time.
        let scale = if interval <= 1 << 16 {
            1.0
        } else {
            1e-6 / self.unit
        };
        let fine = self.weight.rate(&self.conditions(interval, ENLARGED));
        if fine == u64::MAX {
            self.weight.rate(&self.conditions(interval, 1)) as f64 / RATE * scale
        } else {
            fine as f64 / f64::from(ENLARGED) / RATE * scale
        }
    }

    fn rate(&self, p: f64) -> Result<f64, Failure> {
        let p = positive("p", p, 1.0)?;
        let interval = (ONE / p).round();
        if interval >= ENDLESS as f64 {
            return Err(Failure::Input(format!("--p {p} is too small")));
        }
        Ok(round(self.at(interval as u64), 9))
    }

    fn loss(&self, x: f64) -> Result<f64, Failure> {
        let x = positive("x", x, 1e15)?;
        // The rate grows with the interval: find the longest that isn't above.
        let (mut low, mut high) = (1u64 << 16, ENDLESS);
        if self.at(high) < x {
            return Err(Failure::Input(format!(
                "--x {x} is more than the equation gives for any loss"
            )));
        }
        if self.at(low) > x {
            return Err(Failure::Input(format!(
                "--x {x} is less than a packet per 64 s, which p = 1 gives"
            )));
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.at(middle) <= x {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(round(ONE / low as f64, 7))
    }
}

/// To that many digits: more would tell only how fine the module's whole
/// numbers are.
fn round(value: f64, digits: usize) -> f64 {
    let after_the_point = digits.saturating_sub(1);
    let text = format!("{value:.after_the_point$e}");
    text.parse().unwrap_or(value)
}
