// SPDX-License-Identifier: GPL-2.0
//! The lines of a trace that say something.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Error, ErrorKind, Read, Result},
};

/// Longest line: names and numbers for every register need a small part of it.
const LONGEST: usize = 64 << 10;

/// Leaves comments and empty lines out, remembers the numbers of the others,
/// and fails on a line that is too long, before anyone has to keep it.
pub(super) struct Lines<R> {
    source: BufReader<R>,
    line: Vec<u8>,
    /// What of `line` has been read.
    read: usize,
    /// Number of `line`.
    number: u64,
    /// Numbers of the lines that have been begun to be read.
    numbers: VecDeque<u64>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source: BufReader::new(source),
            line: Vec::new(),
            read: 0,
            number: 0,
            numbers: VecDeque::new(),
        }
    }

    /// The number of the next record, which is the next line.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers.pop_front().unwrap_or(self.number)
    }

    /// Goes on to the next line; false at the end.
    fn next(&mut self) -> Result<bool> {
        loop {
            self.line.clear();
            self.read = 0;
            let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(1);
            let mut source = self.source.by_ref().take(limit);
            if source.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(false);
            }
            self.number += 1;
            if self.line.len() > LONGEST {
                let text = format!("line {} is longer than {LONGEST} bytes", self.number);
                return Err(Error::new(ErrorKind::InvalidData, text));
            }
            if !matches!(self.line.trim_ascii_start(), [] | [b'#', ..]) {
                self.numbers.push_back(self.number);
                return Ok(true);
            }
        }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.read == self.line.len() && !self.next()? {
            return Ok(0);
        }
        let count = (&self.line[self.read..]).read(buffer)?;
        self.read += count;
        Ok(count)
    }
}
