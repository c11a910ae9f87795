// SPDX-License-Identifier: GPL-2.0
//! What each register is called without a name of its own.

use ccp_core::vm::isa::{implicit, primitive, Class, Reg};

/// The word before the index. Immediates are numbers and have none.
const PREFIXES: [(Class, &str); 8] = [
    (Class::NonvolatileControl, "Control"),
    (Class::VolatileControl, "VControl"),
    (Class::NonvolatileReport, "Report"),
    (Class::VolatileReport, "VReport"),
    (Class::Local, "Local"),
    (Class::Tmp, "Tmp"),
    (Class::Implicit, "Implicit"),
    (Class::Primitive, "Primitive"),
];

/// The datapath's names of a class, by index.
fn fixed(class: Class) -> &'static [&'static str] {
    match class {
        Class::Implicit => &implicit::NAMES,
        Class::Primitive => &primitive::NAMES,
        _ => &[],
    }
}

/// An operand as the text form writes it: the name the datapath has for the
/// register, else its class and index; an immediate as a number.
pub fn spelling(reg: Reg) -> String {
    let name = usize::try_from(reg.index).ok();
    if let Some(name) = name.and_then(|index| fixed(reg.class).get(index)) {
        return (*name).to_owned();
    }
    match PREFIXES.iter().find(|(class, _)| *class == reg.class) {
        Some((_, prefix)) => format!("{prefix}.{}", reg.index),
        None if reg.index == u32::MAX => INFINITY.to_owned(),
        None => reg.index.to_string(),
    }
}

/// 2^32-1, which libccp calls so.
pub(crate) const INFINITY: &str = "infinity";

/// The register with this spelling. The index may be beyond the class's last:
/// that is for the verifier to refuse.
pub(crate) fn parse(text: &str) -> Option<Reg> {
    for class in [Class::Implicit, Class::Primitive] {
        if let Some(index) = fixed(class).iter().position(|name| *name == text) {
            return Some(Reg::new(class, u32::try_from(index).ok()?));
        }
    }
    let (prefix, index) = text.split_once('.')?;
    let (class, _) = PREFIXES.iter().find(|(_, known)| *known == prefix)?;
    if index.is_empty() || !index.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(Reg::new(*class, index.parse().ok()?))
}

/// Every name the datapath has for a register.
pub(crate) fn all_fixed() -> impl Iterator<Item = &'static str> {
    implicit::NAMES.into_iter().chain(primitive::NAMES)
}

/// The spellings of registers with the index that `text` ends with.
pub(crate) fn all_with_index_of(text: &str) -> impl Iterator<Item = String> + '_ {
    let digits = |index: &&str| !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit());
    let index = text.rsplit_once('.').map(|(_, index)| index).filter(digits);
    index.into_iter().flat_map(|index| {
        PREFIXES
            .iter()
            .map(move |(_, prefix)| format!("{prefix}.{index}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_read_back() {
        for class in Class::ALL.into_iter().filter(|c| *c != Class::Immediate) {
            for index in (0..40).chain([u32::MAX]) {
                let reg = Reg::new(class, index);
                assert_eq!(parse(&spelling(reg)), Some(reg));
            }
        }
        assert_eq!(
            spelling(Reg::new(Class::Primitive, 13)),
            "Flow.rtt_sample_us"
        );
        assert_eq!(spelling(Reg::new(Class::Primitive, 31)), "Primitive.31");
        assert_eq!(spelling(Reg::new(Class::Immediate, u32::MAX)), "infinity");
        for text in [
            "",
            "Report",
            "Report.",
            "Report.x",
            "Report.-1",
            "Report.4294967296",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
