// SPDX-License-Identifier: GPL-2.0
//! Programs in wire form, read for the model and for people.

use std::fmt;

use ccp_core::vm::isa::Opcode;
use ccp_lang::Binary;

/// A program the model runs.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    pub(crate) instructions: Vec<Instruction>,
    pub(crate) events: Vec<[u32; 4]>,
    /// Report registers with a definition: libccp's count of fields.
    pub(crate) defined_fields: usize,
    /// One more than the highest report register: ours.
    pub(crate) named_fields: usize,
    /// Report and control registers it shows or uses without a definition.
    pub(crate) undefined: Vec<Operand>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Instruction {
    pub(crate) opcode: u8,
    pub(crate) result: Operand,
    pub(crate) left: Operand,
    pub(crate) right: Operand,
    /// An `&&` or `||` of the source.
    pub(crate) logical: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) class: u8,
    pub(crate) index: u32,
}

impl Operand {
    pub(crate) fn is_report(self) -> bool {
        matches!(self.class, 5 | 6)
    }

    pub(crate) fn is_control(self) -> bool {
        matches!(self.class, 0 | 8)
    }

    /// A register has a volatile and another name.
    fn same_register(self, other: Self) -> bool {
        self.index == other.index && self.is_report() == other.is_report()
    }

    pub(crate) fn is_volatile(self) -> bool {
        matches!(self.class, 5 | 8)
    }
}

impl Listing {
    /// Reads the wire form. `logical` says which instructions are an `&&` or
    /// `||`; it may be shorter than the program.
    pub fn new(program: &Binary, logical: &[bool]) -> Self {
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        let operand = |bytes: &[u8]| Operand {
            class: bytes[0],
            index: word(&bytes[1..5]),
        };
        let logical = logical.iter().copied().chain(std::iter::repeat(false));
        let instruction = |(bytes, logical): (&[u8], bool)| Instruction {
            opcode: bytes[0],
            result: operand(&bytes[1..]),
            left: operand(&bytes[6..]),
            right: operand(&bytes[11..]),
            logical,
        };
        let mut listing = Self {
            instructions: program
                .instructions
                .chunks_exact(16)
                .zip(logical)
                .map(instruction)
                .collect(),
            events: program
                .events
                .chunks_exact(16)
                .map(|b| {
                    [
                        word(&b[..4]),
                        word(&b[4..8]),
                        word(&b[8..12]),
                        word(&b[12..]),
                    ]
                })
                .collect(),
            ..Self::default()
        };
        let defined: Vec<Operand> = listing.definitions().map(|i| i.result).collect();
        let reports = |o: &Operand| o.is_report();
        listing.defined_fields = defined.iter().copied().filter(reports).count();
        let named = listing.named().filter(reports);
        listing.named_fields = named.map(|o| o.index as usize + 1).max().unwrap_or(0);
        let defined = |o: &Operand| defined.iter().any(|d| d.same_register(*o));
        // A report has all fields up to the highest.
        let reports = (0..listing.named_fields as u32).map(|index| Operand { class: 6, index });
        let controls = listing.named().filter(|o| o.is_control());
        let registers = reports.chain(controls);
        listing.undefined = registers.filter(|o| !defined(o)).collect();
        listing
    }

    /// The control registers it may be told to set.
    pub fn controls(&self) -> std::ops::Range<u32> {
        let named = self.named().filter(|o| o.is_control());
        0..named.map(|o| o.index + 1).max().unwrap_or(0)
    }

    fn named(&self) -> impl Iterator<Item = Operand> + '_ {
        let operands = |i: &Instruction| [i.result, i.left, i.right];
        self.instructions.iter().flat_map(operands)
    }

    pub(crate) fn definitions(&self) -> impl Iterator<Item = &Instruction> {
        self.instructions.iter().take_while(|i| i.opcode == 2)
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operand = |o: Operand| match o.class {
            1 => format!("#{}", o.index),
            class => format!("{}{}", CLASSES[usize::from(class)], o.index),
        };
        for (index, i) in self.instructions.iter().enumerate() {
            for event in self.events.iter().filter(|e| e[0] == index as u32) {
                writeln!(f, "when {event:?}")?;
            }
            let [result, left, right] = [i.result, i.left, i.right].map(operand);
            let name = Opcode::from_code(i.opcode).map_or("?", Opcode::name);
            writeln!(f, "{index:5} {name:<8} {result:<5} {left:<12} {right}")?;
        }
        Ok(())
    }
}

/// Short names of register classes; a capital letter is volatile.
const CLASSES: [&str; 9] = ["c", "#", "i", "l", "p", "R", "r", "t", "C"];
