// SPDX-License-Identifier: GPL-2.0
//! Traces of ACKs: CSV with a head of register names and a row for each ACK.

mod column;
mod lines;

use crate::Failure;
use ccp_core::vm::{isa::primitive, PRIMITIVES};
pub(super) use column::absent;
use column::Column;
use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, Trim};
use lines::Lines;
use std::{fs::File, io::Read, path::Path};

/// A row of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ack {
    /// Line of the file.
    pub(super) line: u64,
    pub(super) primitives: [u64; PRIMITIVES],
    /// What the stack had, if the trace tells.
    pub(super) cwnd: Option<u64>,
    pub(super) rate: Option<u64>,
}

impl Ack {
    /// Microseconds.
    pub(super) fn time(&self) -> u64 {
        self.primitives[primitive::ACK_NOW]
    }
}

pub(super) struct Acks<R> {
    file: String,
    reader: Reader<Lines<R>>,
    columns: Vec<Column>,
    record: ByteRecord,
    /// Line of the record.
    line: u64,
    /// Time of the last row.
    last: u64,
}

impl Acks<Box<dyn Read>> {
    /// The trace in a file; `-` is standard input.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let source: Box<dyn Read> = if path.as_os_str() == "-" {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(path).map_err(Failure::file(path))?)
        };
        Acks::new(&path.display().to_string(), source)
    }
}

impl<R: Read> Acks<R> {
    /// Reads the head of a trace that messages call `file`.
    pub(super) fn new(file: &str, source: R) -> Result<Self, Failure> {
        // Names and numbers need no quotes. Where they have some, these are
        // taken off later: one that is never closed must not swallow the rest.
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .quoting(false)
            .trim(Trim::All)
            .from_reader(Lines::new(source));
        let mut acks = Self {
            file: file.to_owned(),
            reader,
            columns: Vec::new(),
            record: ByteRecord::new(),
            line: 0,
            last: 0,
        };
        if !acks.read()? {
            return Err(acks.wrong("the trace is empty: its first line names the columns"));
        }
        let head: Vec<String> = acks.record.iter().map(text).collect();
        for (number, name) in (1..).zip(&head) {
            let column = Column::named(name).and_then(|column| {
                let first = acks.columns.iter().position(|known| *known == column);
                acks.columns.push(column);
                match first {
                    Some(first) => Err(format!("column {} is the same", first + 1)),
                    None => Ok(()),
                }
            });
            if let Err(error) = column {
                let line = acks.line;
                let shown = shown(name);
                return Err(
                    acks.wrong(&format!("line {line}, column {number}: '{shown}': {error}"))
                );
            }
        }
        Ok(acks)
    }

    /// Whether the trace tells this primitive register.
    pub(super) fn tells(&self, index: u32) -> bool {
        let index = usize::try_from(index);
        let wanted = index.map(Column::Primitive);
        self.columns.iter().any(|column| Ok(*column) == wanted)
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<Ack>, Failure> {
        if !self.read()? {
            return Ok(None);
        }
        let mut ack = Ack {
            line: self.line,
            primitives: std::array::from_fn(absent),
            cwnd: None,
            rate: None,
        };
        for (number, (column, cell)) in (1..).zip(self.columns.iter().zip(&self.record)) {
            let Some(value) = whole(unquoted(cell)) else {
                let (line, name) = (ack.line, column.name());
                let shown = shown(&text(cell));
                return Err(self.wrong(&format!(
                    "line {line}, column {number} ({name}): '{shown}' is no whole number of 64 bits"
                )));
            };
            match *column {
                // The index is one of the table's.
                Column::Primitive(index) => ack.primitives[index] = value,
                Column::Cwnd => ack.cwnd = Some(value),
                Column::Rate => ack.rate = Some(value),
            }
        }
        if ack.time() < self.last {
            let (line, time, last) = (ack.line, ack.time(), self.last);
            return Err(self.wrong(&format!(
                "line {line}: time goes back from {last} to {time} microseconds"
            )));
        }
        self.last = ack.time();
        Ok(Some(ack))
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::Input(format!("{}: {what}", self.file))
    }

    /// Reads the next record; false at the end.
    fn read(&mut self) -> Result<bool, Failure> {
        let read = self.reader.read_byte_record(&mut self.record);
        self.line = self.reader.get_mut().number();
        read.map_err(|error| {
            let line = self.line;
            let text = match error.kind() {
                ErrorKind::UnequalLengths {
                    expected_len, len, ..
                } => format!("line {line}: {len} columns, where the first line has {expected_len}"),
                ErrorKind::Io(error) => error.to_string(),
                _ => error.to_string(),
            };
            self.wrong(&text)
        })
    }
}

fn unquoted(cell: &[u8]) -> &[u8] {
    cell.strip_prefix(b"\"")
        .and_then(|cell| cell.strip_suffix(b"\""))
        .unwrap_or(cell)
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(unquoted(cell)).into_owned()
}

/// Text from a file, fit for a message.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(40).collect();
    let rest = if start.len() < text.len() { "..." } else { "" };
    format!("{}{rest}", start.escape_debug())
}

/// Decimal digits and nothing else.
fn whole(cell: &[u8]) -> Option<u64> {
    if cell.is_empty() {
        return None;
    }
    cell.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<Ack>, String> {
        let mut acks = Acks::new("t", text.as_bytes()).map_err(|error| error.to_string())?;
        let mut rows = Vec::new();
        while let Some(ack) = acks.next().map_err(|error| error.to_string())? {
            rows.push(ack);
        }
        Ok(rows)
    }

    #[test]
    fn rows_by_name_in_any_order() {
        let text = "# recorded\n\"bytes_acked\", Cwnd ,Ack.now\r\n1,2,3\n\n# lull\n\"4\",5,6\n";
        let found = rows(text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].line, found[1].line), (3, 6));
        assert_eq!(found[1].primitives[primitive::ACK_BYTES_ACKED], 4);
        assert_eq!(
            (found[1].cwnd, found[1].rate, found[1].time()),
            (Some(5), None, 6)
        );
        assert!(rows("now").unwrap().is_empty());
        let most = rows("lost\n18446744073709551615\n").unwrap();
        assert_eq!(most[0].primitives[primitive::FLOW_LOST], u64::MAX);
    }

    #[test]
    fn mistakes_have_a_place() {
        let error = |text: &str| rows(text).unwrap_err();
        assert_eq!(
            error(""),
            "t: the trace is empty: its first line names the columns"
        );
        for (text, expected) in [
            ("now,Flow.mms\n", "t: line 1, column 2: 'Flow.mms': no such register; did you mean Flow.mss?"),
            ("now,Micros\n", "t: line 1, column 2: 'Micros': no such register; there are Cwnd, Rate and the primitive registers of docs/isa.md"),
            ("now,mss,time_us\n", "t: line 1, column 3: 'time_us': column 1 is the same"),
            ("now\n1\n-2\n", "t: line 3, column 1 (Ack.now): '-2' is no whole number of 64 bits"),
            ("now,mss\n1,\n", "t: line 2, column 2 (Flow.mss): '' is no whole number of 64 bits"),
            ("now\n18446744073709551616\n", "t: line 2, column 1 (Ack.now): '18446744073709551616' is no whole number of 64 bits"),
            ("now\n\u{1b}[2J\n", "t: line 2, column 1 (Ack.now): '\\u{1b}[2J' is no whole number of 64 bits"),
            ("now,mss\n1,2\n3\n", "t: line 3: 1 columns, where the first line has 2"),
            ("now\n5\n4\n", "t: line 3: time goes back from 5 to 4 microseconds"),
        ] {
            assert_eq!(error(text), expected);
        }
    }

    #[test]
    fn damaged_traces_are_read_or_refused() {
        let text = b"now,\"mss\",Cwnd\r\n# c\n1,2,3\n4,5,6";
        let read = |bytes: &[u8]| {
            let mut acks = Acks::new("t", bytes)?;
            let mut rows = 0;
            while acks.next()?.is_some() {
                rows += 1;
            }
            Ok::<_, Failure>(rows)
        };
        assert_eq!(read(text).unwrap(), 2);
        for at in 0..text.len() {
            for byte in *b"\0\r\n\",#9x\xff" {
                let mut damaged = text.to_vec();
                damaged[at] = byte;
                if let Ok(rows) = read(&damaged) {
                    assert!(rows <= 3, "{rows} rows");
                }
            }
            if let Ok(rows) = read(&text[..at]) {
                assert!(rows <= 2, "{rows} rows");
            }
        }
    }

    #[test]
    fn a_file_without_lines_is_not_read_whole() {
        let source = std::io::repeat(b'1');
        let error = Acks::new("t", source).err().expect("an error").to_string();
        assert_eq!(error, "t: line 1 is longer than 65536 bytes");
        let quoted = Read::chain(&b"now\n\"1"[..], std::io::repeat(b'1'));
        let mut acks = Acks::new("t", quoted).expect("a head");
        let error = acks.next().unwrap_err().to_string();
        assert_eq!(error, "t: line 2 is longer than 65536 bytes");
    }
}
