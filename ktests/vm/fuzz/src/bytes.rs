// SPDX-License-Identifier: GPL-2.0
//! The input of a target, read from the front; zeros follow its end.

/// Numbers near the edges of what the machine computes with.
const EDGES: [u64; 24] = [
    0,
    1,
    2,
    3,
    9,
    10,
    11,
    1448,
    65_535,
    65_536,
    1_000_000,
    0x3fff_ffff,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_fffe,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    u64::MAX / 10,
    u64::MAX / 2,
    u64::MAX / 2 + 1,
    u64::MAX - 1,
    u64::MAX,
];

/// What is left of an input.
#[derive(Clone, Debug)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// All of `data`.
    pub fn new(data: &'a [u8]) -> Bytes<'a> {
        Bytes(data)
    }

    /// Whether only the zeros after the end are left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    /// The next `most` bytes, or as many as there are.
    pub fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        u8::from_le_bytes(self.array())
    }

    /// Two bytes.
    pub fn short(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    /// Four bytes.
    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    /// Eight bytes.
    pub fn long(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// A number in one byte when it is small or an edge, in 5 or 9 otherwise.
    pub fn value(&mut self) -> u64 {
        match self.byte() {
            small @ 0..128 => small.into(),
            edge @ 128..224 => EDGES[usize::from(edge) % EDGES.len()],
            224..240 => self.word().into(),
            240.. => self.long(),
        }
    }
}
