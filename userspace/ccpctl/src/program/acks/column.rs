// SPDX-License-Identifier: GPL-2.0
//! Which register a column has.

use ccp_core::vm::isa::primitive;

/// Register of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Primitive(usize),
    Cwnd,
    Rate,
}

impl Column {
    /// The column of this name: a register's, in full or without what is before
    /// the dot, or `time_us`.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        match name {
            "Cwnd" => return Ok(Self::Cwnd),
            "Rate" => return Ok(Self::Rate),
            "time_us" => return Ok(Self::Primitive(primitive::ACK_NOW)),
            _ => {}
        }
        let names = || primitive::NAMES.iter().enumerate();
        if let Some((index, _)) = names().find(|(_, full)| **full == name) {
            return Ok(Self::Primitive(index));
        }
        let short = |full: &str| full.split_once('.').is_some_and(|(_, short)| short == name);
        let mut found = names().filter(|(_, full)| short(full));
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Ok(Self::Primitive(index)),
            (Some((_, one)), Some((_, other))) => Err(format!("this may be {one} or {other}")),
            (None, _) => Err(match nearest(name) {
                Some(near) => format!("no such register; did you mean {near}?"),
                None => "no such register; there are Cwnd, Rate and the primitive registers \
                         of docs/isa.md"
                    .to_owned(),
            }),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Primitive(index) => primitive::NAMES.get(index).copied().unwrap_or("?"),
            Self::Cwnd => "Cwnd",
            Self::Rate => "Rate",
        }
    }
}

/// What a primitive register reads without a column: the value that says there
/// is none.
pub(in crate::program) fn absent(index: usize) -> u64 {
    match index {
        primitive::FLOW_RTT_SAMPLE_US | primitive::FLOW_MIN_RTT_US => u32::MAX.into(),
        primitive::FLOW_SSTHRESH => u64::MAX,
        _ => 0,
    }
}

fn nearest(name: &str) -> Option<&'static str> {
    // A column may have any length; a slip has few letters.
    if name.len() > 40 {
        return None;
    }
    let wanted = name.to_lowercase();
    let distance = |candidate: &str| {
        let whole = candidate.to_lowercase();
        let short = whole.rsplit('.').next().unwrap_or(&whole);
        let [whole, short] =
            [&*whole, short].map(|text| strsim::damerau_levenshtein(&wanted, text));
        whole.min(short)
    };
    let names = primitive::NAMES.into_iter().chain(["Cwnd", "Rate"]);
    let near = names
        .map(|candidate| (distance(candidate), candidate))
        .min();
    near.filter(|(distance, _)| *distance <= name.len() / 3)
        .map(|(_, candidate)| candidate)
}
