// SPDX-License-Identifier: GPL-2.0
//! Numbers with units, as tc(8) writes them.

use std::time::Duration;

/// Bits per second.
pub(crate) fn bits_per_second(text: &str) -> Result<u64, String> {
    let units = [("gbit", 1e9), ("mbit", 1e6), ("kbit", 1e3), ("bit", 1.0)];
    let value = scaled(text, &units, "a rate, as 500kbit, 20Mbit or 1Gbit")?;
    Ok(value as u64)
}

/// Bytes; prefixes are powers of 1024.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let units = [("kb", 1024.0), ("mb", 1_048_576.0), ("b", 1.0), ("", 1.0)];
    let value = scaled(text, &units, "a size, as 1500B, 100KB or 1MB")?;
    Ok(value as u64)
}

/// A time that is not 0.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let units = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let what = "a time, as 500us, 40ms or 10s";
    let value = scaled(text, &units, what)?;
    Duration::try_from_secs_f64(value).map_err(|_| format!("write {what}"))
}

/// A number and one of the units, of which longer ones come first.
fn scaled(text: &str, units: &[(&str, f64)], what: &str) -> Result<f64, String> {
    let lower = text.to_ascii_lowercase();
    let digits = |&(unit, factor): &(&str, f64)| Some((lower.strip_suffix(unit)?, factor));
    let value = units.iter().find_map(digits).and_then(|(digits, factor)| {
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let value = plain.then(|| digits.parse::<f64>().ok())??;
        Some(value * factor)
    });
    match value {
        Some(value) if value > 0.0 && value < 1e15 => Ok(value),
        _ => Err(format!("write {what}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units() {
        assert_eq!(bits_per_second("20Mbit"), Ok(20_000_000));
        assert_eq!(bits_per_second("1.5kbit"), Ok(1500));
        assert_eq!(bits_per_second("9600bit"), Ok(9600));
        assert_eq!(bytes("100KB"), Ok(102_400));
        assert_eq!(bytes("1500"), Ok(1500));
        assert_eq!(duration("40ms"), Ok(Duration::from_millis(40)));
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        for text in [
            "",
            "10",
            "-1s",
            "1e3s",
            "s",
            "infs",
            "nans",
            "0s",
            "1h",
            "1000000000000000s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(bits_per_second("20Mbps").is_err());
        assert!(bytes("1TB").is_err());
    }
}
