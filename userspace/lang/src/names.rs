// SPDX-License-Identifier: GPL-2.0
//! The variables every program has, and the names nearest to a wrong one.

use ccp_core::vm::isa::{implicit, primitive};

use crate::types::Type;

/// Primitives that are 0 or 1; the others are numbers.
const FLAGS: &[usize] = &[
    primitive::FLOW_WAS_TIMEOUT,
    primitive::FLOW_IN_RECOVERY,
    primitive::FLOW_CWND_LIMITED,
    primitive::FLOW_APP_LIMITED,
];

/// Primitives with their index and type.
pub(crate) fn primitives() -> impl Iterator<Item = (&'static str, u32, Type)> {
    (0_u32..).zip(primitive::NAMES).map(|(index, name)| {
        let flag = FLAGS.contains(&(index as usize));
        (name, index, if flag { Type::Bool } else { Type::Num })
    })
}

/// Variables the program shares with the datapath, with their index.
pub(crate) fn shared() -> impl Iterator<Item = (&'static str, u32)> {
    [implicit::MICROS, implicit::CWND, implicit::RATE]
        .into_iter()
        .map(|index| (implicit::NAMES[index as usize], index))
}

/// Every builtin name.
pub(crate) fn builtins() -> impl Iterator<Item = &'static str> {
    primitives()
        .map(|(name, ..)| name)
        .chain(shared().map(|(name, _)| name))
}

/// Whether the datapath owns the name's prefix, so that an unknown name with
/// it can only be a mistake.
pub(crate) fn reserved_prefix(name: &str) -> Option<&'static str> {
    ["Report.", "Flow.", "Ack."]
        .into_iter()
        .find(|prefix| name.starts_with(prefix))
}

/// The candidate that `name` most likely meant, if any is near.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .filter(|candidate| *candidate != name)
        .filter_map(|candidate| slip(name, candidate).map(|size| (size, candidate)))
        .min_by_key(|(size, _)| *size)
        .map(|(_, candidate)| candidate)
}

/// How large a slip it is to write `name` for `candidate`, if it can be one.
fn slip(name: &str, candidate: &str) -> Option<usize> {
    // What both begin with says nothing of how alike the rest is.
    let (prefix, own) = split(name);
    let (other, rest) = split(candidate);
    // A forgotten or a wrong prefix is the commonest slip of all.
    if rest.eq_ignore_ascii_case(own) {
        return Some(usize::from(!prefix.is_empty()));
    }
    let (name, candidate) = if prefix == other {
        (own, rest)
    } else {
        (name, candidate)
    };
    // A third of the letters may be wrong: enough for a slip, too few to
    // suggest something unrelated.
    let size = distance(name, candidate);
    (size <= name.chars().count() / 3).then_some(size)
}

/// A name's prefix with its dot, and the rest.
fn split(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('.').map_or(0, |dot| dot + 1))
}

/// Edit distance with swaps of neighbours; 0 when only letter case differs.
fn distance(a: &str, b: &str) -> usize {
    if a.eq_ignore_ascii_case(b) {
        return 0;
    }
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > a.len() / 3 + 1 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = a[i - 1] == b[j - 1];
            let mut best = (above[j - 1] + usize::from(!same))
                .min(above[j] + 1)
                .min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names() {
        let find = |name| nearest(name, builtins());
        assert_eq!(find("cwnd"), Some("Cwnd"));
        assert_eq!(find("Cwdn"), Some("Cwnd"));
        assert_eq!(find("rtt_sample_us"), Some("Flow.rtt_sample_us"));
        assert_eq!(find("Flow.rtt_sampel_us"), Some("Flow.rtt_sample_us"));
        assert_eq!(find("flow.mss"), Some("Flow.mss"));
        assert_eq!(find("Ack.mss"), Some("Flow.mss"));
        assert_eq!(find("Ack.byte_acked"), Some("Ack.bytes_acked"));
        assert_eq!(find("unrelated"), None);
    }

    #[test]
    fn a_prefix_does_not_make_names_alike() {
        let declared = ["Report.rate", "Report.acked", "x", "loss"];
        let find = |name| nearest(name, declared.into_iter());
        assert_eq!(find("Report.rtt"), None);
        assert_eq!(find("Report.ack"), None);
        assert_eq!(find("Report.ackd"), Some("Report.acked"));
        assert_eq!(find("acked"), Some("Report.acked"));
        assert_eq!(find("y"), None);
        assert_eq!(find("lost"), Some("loss"));
    }
}
