// SPDX-License-Identifier: GPL-2.0
//! Numbers and tables for people.

use crate::Failure;
use serde::Serialize;
use std::io::Write;

/// A pacing rate in bytes per second as `20.0M` bits per second.
pub(crate) fn bit_rate(bytes_per_second: u64) -> String {
    if bytes_per_second == u64::MAX {
        return "unlimited".into();
    }
    scaled(bytes_per_second as f64 * 8.0)
}

/// Bits per second with a decimal prefix.
pub(crate) fn scaled(value: f64) -> String {
    for (unit, factor) in [("G", 1e9), ("M", 1e6), ("k", 1e3)] {
        if value >= factor {
            return format!("{:.1}{unit}", value / factor);
        }
    }
    format!("{value:.0}")
}

/// Microseconds as milliseconds.
pub(crate) fn ms(us: u32) -> String {
    if us == u32::MAX || us == 0 {
        return "-".into();
    }
    format!("{:.1}", f64::from(us) / 1000.0)
}

/// Columns of text; numbers to the right.
pub(crate) fn table(
    out: &mut dyn Write,
    head: &[&str],
    rows: &[Vec<String>],
) -> Result<(), Failure> {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .chain(head.get(column).map(|title| title.chars().count()))
            .max()
            .unwrap_or(0)
    };
    let right: Vec<bool> = (0..head.len())
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).all(|cell| {
                cell.starts_with(|c: char| c.is_ascii_digit() || c == '-')
                    && !cell.contains([':', ' '])
            })
        })
        .collect();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (column, cell) in cells.enumerate() {
            let width = width(column);
            let padded = if right.get(column) == Some(&true) {
                format!("{cell:>width$}  ")
            } else {
                format!("{cell:<width$}  ")
            };
            text += &padded;
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(&mut head.iter().copied())?;
    for row in rows {
        line(&mut row.iter().map(String::as_str))?;
    }
    Ok(())
}

/// One JSON value on a line.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let text = serde_json::to_string(value).map_err(|error| Failure::System(error.to_string()))?;
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(bit_rate(2_500_000), "20.0M");
        assert_eq!(bit_rate(u64::MAX), "unlimited");
        assert_eq!(scaled(999.0), "999");
        assert_eq!(ms(40_123), "40.1");
        assert_eq!(ms(u32::MAX), "-");
    }

    #[test]
    fn tables_align() {
        let mut out = Vec::new();
        let rows = [
            vec!["1".into(), "a:b".into()],
            vec!["10".into(), "c".into()],
        ];
        table(&mut out, &["ID", "PEER"], &rows).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "ID  PEER\n 1  a:b\n10  c\n"
        );
    }
}
