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
pub struct Bytes<'a> {
    data: &'a [u8],
    tail: Tail,
}

/// What follows an input: random bytes, decided by the input, then zeros.
#[derive(Clone, Debug, Default)]
struct Tail {
    state: u64,
    left: usize,
}

impl<'a> Bytes<'a> {
    /// All of `data`.
    pub fn new(data: &'a [u8]) -> Bytes<'a> {
        Bytes {
            data,
            tail: Tail::default(),
        }
    }

    /// All of `data` but its first byte, which says how much of a tail it has:
    /// a few bytes of input so become a program that does a lot.
    pub fn with_tail(data: &'a [u8]) -> Bytes<'a> {
        let mut bytes = Bytes::new(data);
        let length = bytes.byte();
        let mix =
            |state: u64, byte: &u8| (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        bytes.tail = Tail {
            state: data.iter().fold(0xcbf2_9ce4_8422_2325, mix),
            left: usize::from(length),
        };
        bytes
    }

    /// Whether only the zeros after the end are left.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty() && self.tail.left == 0
    }

    /// Everything left of the input itself.
    pub fn rest(self) -> &'a [u8] {
        self.data
    }

    /// The next `most` bytes of the input itself, or as many as there are.
    pub fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.data.split_at(most.min(self.data.len()));
        self.data = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        for byte in &mut array[taken.len()..] {
            *byte = self.tail.next();
        }
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

impl Tail {
    fn next(&mut self) -> u8 {
        if self.left == 0 {
            return 0;
        }
        self.left -= 1;
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 56) as u8
    }
}
