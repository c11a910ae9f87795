// SPDX-License-Identifier: GPL-2.0
//! Numbers on the command line, as programs write them.

use ccp_asm::{Names, Survey};

/// A number of the language, perhaps with a unit.
pub(crate) fn number(text: &str) -> Result<u64, String> {
    let what = "write a whole number of 64 bits, or one with a unit, as 10ms, 12Mbps or 64KB";
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let unit = rest.bytes().all(|b| b.is_ascii_alphabetic());
    let starts = text.starts_with(|c: char| c.is_ascii_digit());
    if !(starts && unit || text == "+infinity") {
        return Err(what.into());
    }
    // The compiler knows best: what it makes of a definition.
    let source = format!("(def (value {text})) (when value (report))");
    let compiled = ccp_lang::compile("value", &source).map_err(|errors| {
        let first = errors.iter().next();
        first.map_or_else(|| what.into(), |error| format!("{}; {what}", error.message))
    })?;
    let names = Names::from(&compiled.symbols);
    let survey = Survey::new(&compiled.program, &names);
    match survey.variables.as_slice() {
        [value] if compiled.warnings.is_empty() => value.initial.ok_or_else(|| what.into()),
        _ => Err(what.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_languages() {
        for (text, value) in [
            ("0", 0),
            ("18446744073709551615", u64::MAX),
            ("12Mbps", 1_500_000),
            ("1.5ms", 1500),
            ("64KB", 65_536),
            ("1073741823", 0x3fff_ffff),
            ("+infinity", u32::MAX.into()),
        ] {
            assert_eq!(number(text), Ok(value), "{text}");
        }
        for text in [
            "",
            "-1",
            "+1",
            "1.5",
            "0x10",
            "12Mbit",
            "12bps",
            "1 2",
            "1)(b 2",
            "value",
            "true",
            "1true",
            ".5ms",
            "18446744073709551616",
            "99999999999999999999s",
        ] {
            assert!(number(text).is_err(), "{text}");
        }
        assert!(number("12bps").is_err_and(|why| why.contains("bytes per second")));
    }
}
