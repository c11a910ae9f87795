// SPDX-License-Identifier: GPL-2.0
//! Words to values and names.
//!
//! portus takes the longest literal at the start of a word and goes on with
//! the rest, so its programs may say `1a` for `1 a`. That reading is kept, but
//! only where the rest means something and nobody declared the whole word.

use crate::ast::Literal;

/// One part of a word: what it is and how many bytes of the word it takes.
pub(crate) type Atom = (Literal, usize);

/// Why a word is neither value nor name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadNumber {
    /// 2^64 or more.
    TooLarge,
    /// `0x10`, `1.5`, `10mss`.
    Malformed,
    /// A unit literal that is no whole number of the language's unit.
    Fraction(&'static str),
}

/// Reads a word where a value may stand. `known` says whether a name means
/// something already.
pub(crate) fn read(word: &str, known: &dyn Fn(&str) -> bool) -> Result<Vec<Atom>, BadNumber> {
    match word {
        "true" => return Ok(vec![(Literal::Bool(true), word.len())]),
        "false" => return Ok(vec![(Literal::Bool(false), word.len())]),
        _ => {}
    }
    let digits = digits(word);
    if digits == word.len() {
        let value = word.parse().map_err(|_| BadNumber::TooLarge)?;
        return Ok(vec![(Literal::Num(value), digits)]);
    }
    let name = || Ok(vec![(Literal::Name(word.to_owned()), word.len())]);
    if known(word) {
        return name();
    }
    if digits > 0 {
        if let Some(value) = unit_literal(word) {
            return Ok(vec![(Literal::Num(value?), word.len())]);
        }
    }
    match split(word, known) {
        Some(atoms) => Ok(atoms),
        None if digits > 0 => Err(BadNumber::Malformed),
        None => name(),
    }
}

/// Reads a word the way portus does, or not at all.
fn split(word: &str, known: &dyn Fn(&str) -> bool) -> Option<Vec<Atom>> {
    let mut atoms = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        let (literal, len) = if rest.starts_with("true") {
            (Literal::Bool(true), 4)
        } else if rest.starts_with("false") {
            (Literal::Bool(false), 5)
        } else if digits(rest) > 0 {
            let len = digits(rest);
            (Literal::Num(rest[..len].parse().ok()?), len)
        } else if known(rest) {
            (Literal::Name(rest.to_owned()), rest.len())
        } else {
            return None;
        };
        atoms.push((literal, len));
        rest = &rest[len..];
    }
    Some(atoms)
}

/// Bytes of decimal digits at the start of `text`.
fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len())
}

/// A unit: its spelling, the unit of the result, and the factor between them
/// as a fraction.
struct Unit {
    suffix: &'static str,
    result: &'static str,
    times: u64,
    over: u64,
}

const fn unit(suffix: &'static str, result: &'static str, times: u64, over: u64) -> Unit {
    Unit {
        suffix,
        result,
        times,
        over,
    }
}

const TIME: &str = "microseconds";
const RATE: &str = "bytes per second";
const SIZE: &str = "bytes";

/// Rates are decimal and sizes binary, as tc(8) has them.
const UNITS: &[Unit] = &[
    unit("ns", TIME, 1, 1000),
    unit("us", TIME, 1, 1),
    unit("ms", TIME, 1000, 1),
    unit("s", TIME, 1_000_000, 1),
    unit("bps", RATE, 1, 8),
    unit("Kbps", RATE, 1000, 8),
    unit("kbps", RATE, 1000, 8),
    unit("Mbps", RATE, 1_000_000, 8),
    unit("Gbps", RATE, 1_000_000_000, 8),
    unit("B", SIZE, 1, 1),
    unit("KB", SIZE, 1 << 10, 1),
    unit("KiB", SIZE, 1 << 10, 1),
    unit("MB", SIZE, 1 << 20, 1),
    unit("MiB", SIZE, 1 << 20, 1),
    unit("GB", SIZE, 1 << 30, 1),
    unit("GiB", SIZE, 1 << 30, 1),
];

/// Spellings of the units, for help texts.
pub(crate) fn units() -> String {
    UNITS.iter().map(|u| u.suffix).collect::<Vec<_>>().join(" ")
}

/// Whether `word` is a unit.
pub(crate) fn is_unit(word: &str) -> bool {
    UNITS.iter().any(|unit| unit.suffix == word)
}

/// The value of `12Mbps` or `1.5ms`, or nothing if `word` is not a number with
/// a unit.
fn unit_literal(word: &str) -> Option<Result<u64, BadNumber>> {
    let whole = digits(word);
    let (fraction, rest) = match word[whole..].strip_prefix('.') {
        Some(tail) if digits(tail) > 0 => tail.split_at(digits(tail)),
        _ => ("", &word[whole..]),
    };
    let unit = UNITS.iter().find(|u| u.suffix == rest)?;
    Some(scale(&word[..whole], fraction, unit))
}

fn scale(whole: &str, fraction: &str, unit: &Unit) -> Result<u64, BadNumber> {
    // 10^18 times 2^30 and 64 bits of number stay below 2^128 only when
    // checked; all of these can overflow on hostile input.
    let power = u32::try_from(fraction.len())
        .ok()
        .and_then(|n| 10_u128.checked_pow(n))
        .ok_or(BadNumber::TooLarge)?;
    let digits: u128 = format!("{whole}{fraction}")
        .parse()
        .map_err(|_| BadNumber::TooLarge)?;
    let scaled = digits
        .checked_mul(u128::from(unit.times))
        .ok_or(BadNumber::TooLarge)?;
    let divisor = power
        .checked_mul(u128::from(unit.over))
        .ok_or(BadNumber::TooLarge)?;
    if scaled % divisor != 0 {
        return Err(BadNumber::Fraction(unit.result));
    }
    u64::try_from(scaled / divisor).map_err(|_| BadNumber::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(word: &str) -> Result<Vec<Atom>, BadNumber> {
        read(word, &|name| matches!(name, "a" | "known"))
    }

    #[allow(clippy::unnecessary_wraps, reason = "compared with what `one` gives")]
    fn num(value: u64, len: usize) -> Result<Vec<Atom>, BadNumber> {
        Ok(vec![(Literal::Num(value), len)])
    }

    #[test]
    fn units_convert_exactly() {
        assert_eq!(one("10ms"), num(10_000, 4));
        assert_eq!(one("200us"), num(200, 5));
        assert_eq!(one("2s"), num(2_000_000, 2));
        assert_eq!(one("1.5ms"), num(1500, 5));
        assert_eq!(one("3000ns"), num(3, 6));
        assert_eq!(one("12Mbps"), num(1_500_000, 6));
        assert_eq!(one("8bps"), num(1, 4));
        assert_eq!(one("100Gbps"), num(12_500_000_000, 7));
        assert_eq!(one("64KB"), num(65_536, 4));
        assert_eq!(one("64KiB"), num(65_536, 5));
        assert_eq!(one("1.5MB"), num(1_572_864, 5));
    }

    #[test]
    fn units_that_do_not_fit_are_errors() {
        assert_eq!(one("1ns"), Err(BadNumber::Fraction(TIME)));
        assert_eq!(one("12bps"), Err(BadNumber::Fraction(RATE)));
        assert_eq!(one("18446744073709551615s"), Err(BadNumber::TooLarge));
        assert_eq!(
            one(&format!("1.{}s", "0".repeat(60))),
            Err(BadNumber::TooLarge)
        );
    }

    #[test]
    fn numbers() {
        assert_eq!(one("18446744073709551615"), num(u64::MAX, 20));
        assert_eq!(one("18446744073709551616"), Err(BadNumber::TooLarge));
        assert_eq!(one("0x10"), Err(BadNumber::Malformed));
        assert_eq!(one("1.5"), Err(BadNumber::Malformed));
        assert_eq!(one("1b"), Err(BadNumber::Malformed));
    }

    #[test]
    fn glued_words_split_only_into_known_parts() {
        let a = (Literal::Name("a".into()), 1);
        assert_eq!(one("1a"), Ok(vec![(Literal::Num(1), 1), a.clone()]));
        assert_eq!(one("truea"), Ok(vec![(Literal::Bool(true), 4), a]));
        assert_eq!(one("truex"), Ok(vec![(Literal::Name("truex".into()), 5)]));
    }
}
