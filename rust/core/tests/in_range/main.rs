// SPDX-License-Identifier: GPL-2.0

//! Why a verified program stays inside its registers, and ends.
//!
//! The machine is safe Rust: no index can leave the memory it was given. But a
//! masked index could land on a register that is not meant, and `get` on an op
//! that is not meant, and nobody would notice. What is not checked while a
//! program runs, and why it need not be:
//!
//! * *Slots are masked with the size of the file.* A mask changes nothing when
//!   the slot is below the size. Verification counts the registers a program
//!   names and takes the smallest of 64, 128 and 256 that has room for them
//!   (`Profile::slots`); every slot the decoder emits is that of a register or
//!   constant it counted. At most 216 slots are used, so slots fit a byte, and
//!   no sum of them wraps.
//! * *A slot's class is not known to the interpreter.* Each op only writes the
//!   slots of registers that the program's own instructions name as results,
//!   or the event flag; these are never primitives, constants or the 0 that
//!   reserved primitives read. It only reads slots of operands.
//! * *Skips are not compared with the end.* Distances are unsigned and lead at
//!   most to the end of the code, where the loop stops as its `get` says so.
//!   Control so only goes ahead, and no run is longer than the longest path,
//!   which is at most the declared cost, a test and an end for each event.
//! * *Definitions and constants are read behind the code without a check of
//!   their kind.* There are exactly as many units as verification asked for,
//!   and they store into report, control and constant slots.
//!
//! The tests look at every op the decoder emits (`vm/look.rs`), for every
//! opcode with every class and boundary index, for files of every size, for
//! pairs of instructions that become one op, and for random programs. What an
//! op touches is not only read off its code: each is run by itself, and nothing
//! else may matter to it or change.

#[path = "../common/mod.rs"]
mod common;
mod programs;
#[allow(
    unreachable_pub,
    unfulfilled_lint_expectations,
    reason = "these files are private here"
)]
mod vm;

use std::collections::{
    BTreeMap,
    BTreeSet, //
};

use ccp_core::vm::{
    isa::{
        Class,
        Form,
        Instruction,
        Opcode,
        Reg, //
    },
    MIN_FILE, //
};
use common::*;
use vm::look::{
    look,
    Seen, //
};

const LOCALS: u8 = 6;
const PRIMITIVES: u8 = 14;
const RESERVED: u8 = 39;
const OWN: u8 = 40;
const MOST: u8 = OWN + 16 + 16 + 16 + 128;

/// Checks all that is said above of one program; false when it is refused.
fn holds(source: &Source) -> bool {
    let Some(seen) = look(&source.event_bytes(), &source.instruction_bytes()) else {
        return false;
    };
    fits(&seen);
    meant(source, &seen);
    ends(&seen, source.events.len());
    true
}

/// The classes lie one after the other in a file with room for them.
fn fits(seen: &Seen) {
    let used = usize::from(seen.constants) + seen.values.len();
    assert!(used <= usize::from(MOST));
    let smallest = [64, 128, 256].into_iter().find(|size| used <= *size);
    assert_eq!(Some(seen.registers), smallest);
    // A report register is its own, or a measurement.
    for (own, slot) in (OWN..).zip(seen.fields) {
        assert!(slot == own || (PRIMITIVES..OWN).contains(&slot));
    }
    assert_eq!(seen.controls, OWN + seen.report_fields);
    assert_eq!(seen.tmps, seen.controls + seen.control_count);
    assert!((seen.tmps..=seen.tmps + 16).contains(&seen.constants));
    assert!(usize::from(OWN) <= MIN_FILE);
    for op in &seen.ops {
        let slots = op.reads.iter().chain(&op.writes);
        assert!(
            slots.copied().all(|slot| usize::from(slot) < used),
            "{op:?}"
        );
    }
    // The code, two units for each definition, one for each constant.
    let behind = 2 * seen.definitions.len() + seen.values.len();
    assert!(seen.ops.len() + behind <= seen.units);
    for (slot, _) in &seen.definitions {
        assert!((OWN..seen.tmps).contains(slot));
    }
    for (index, (slot, _)) in (0..).zip(&seen.values) {
        assert_eq!(*slot, seen.constants + index);
    }
}

/// The slot of a register, as the picture in `layout.rs` has it.
fn slot(seen: &Seen, reg: Reg) -> u8 {
    let index = reg.index as u8;
    match reg.class {
        Class::Implicit => index,
        Class::Local => LOCALS + index,
        Class::Primitive => (PRIMITIVES + index).min(RESERVED),
        Class::VolatileReport | Class::NonvolatileReport => seen.fields[usize::from(index)],
        Class::VolatileControl | Class::NonvolatileControl => seen.controls + index,
        Class::Tmp => seen.tmps + index,
        Class::Immediate => constant(seen, u64::from(reg.index)),
    }
}

fn constant(seen: &Seen, value: u64) -> u8 {
    let place = seen.values.iter().find(|(_, known)| *known == value);
    place.expect("a slot for each constant").0
}

/// Ops touch what the instructions name, and nothing else.
fn meant(source: &Source, seen: &Seen) {
    // Event flag and continue flag belong to the events themselves.
    let (mut reads, mut writes) = (BTreeSet::from([0, 1]), BTreeSet::from([0]));
    let mut definitions = BTreeMap::new();
    for instruction in &source.instructions {
        let Instruction {
            result,
            left,
            right,
            opcode,
        } = *instruction;
        let wide = u64::from(left.index) | u64::from(right.index) << 32;
        match opcode.form() {
            Form::Binary => reads.extend([slot(seen, left), slot(seen, right)]),
            Form::Unary => _ = reads.insert(slot(seen, right)),
            Form::Update => {
                reads.extend([slot(seen, left), slot(seen, right), slot(seen, result)]);
            }
            Form::Skip => {
                reads.insert(slot(seen, left));
                continue;
            }
            Form::Wide => _ = reads.insert(constant(seen, wide)),
            Form::Define | Form::Define64 => {
                let value = match (opcode.form(), right.index) {
                    (Form::Define64, _) => wide,
                    (_, 0x3fff_ffff) => 0xffff_ffff,
                    (_, value) => value.into(),
                };
                // A measurement needs no initial value.
                if slot(seen, result) >= OWN {
                    definitions.insert(slot(seen, result), value);
                }
                continue;
            }
        }
        // A measurement is bound to its register by being one.
        let measured = opcode == Opcode::Bind && slot(seen, result) == slot(seen, right);
        if !measured {
            writes.insert(slot(seen, result));
        }
    }
    let read_only = |slot: u8| (PRIMITIVES..OWN).contains(&slot) || slot >= seen.constants;
    assert!(!writes.iter().any(|slot| read_only(*slot)));
    // A fold computes in its result, which is then an operand as well.
    reads.extend(&writes);
    for op in &seen.ops {
        assert!(op.reads.iter().all(|slot| reads.contains(slot)), "{op:?}");
        assert!(op.writes.iter().all(|slot| writes.contains(slot)), "{op:?}");
    }
    assert_eq!(definitions, seen.definitions.iter().copied().collect());
    assert_eq!(definitions.len(), seen.definitions.len());
}

/// Every path leads ahead to the end, in no more steps than declared.
fn ends(seen: &Seen, events: usize) {
    let mut longest = vec![0u32; seen.ops.len() + 1];
    for (place, op) in seen.ops.iter().enumerate().rev() {
        let skipped = op.skips.map_or(0, |distance| {
            let target = place + 1 + distance;
            *longest.get(target).expect("skips stay within the code")
        });
        let next = if op.falls { longest[place + 1] } else { 0 };
        longest[place] = 1 + skipped.max(next);
    }
    let extras = 2 * events as u32;
    assert!(longest[0] <= seen.cost + extras, "{longest:?}");
}

/// Registers at the edges of each class, and constants.
fn edges() -> Vec<Reg> {
    let mut regs = vec![imm(0), imm(1), imm(11), imm(u32::MAX)];
    for class in Class::ALL {
        if class != Class::Immediate {
            regs.extend([0, 1, class.max_index()].map(|index| Reg::new(class, index)));
        }
    }
    regs.push(p(24));
    regs.push(p(25));
    regs
}

/// Tmp registers that are read were written before.
fn written() -> [Instruction; 3] {
    [0, 1, 15].map(|index| bind(t(index), p(3)))
}

#[test]
fn every_operand_of_every_opcode() {
    let regs = edges();
    let mut accepted = 0u32;
    for &opcode in Opcode::ALL {
        for &result in &regs {
            for &left in &regs {
                for &right in &regs {
                    let one = op(opcode, result, left, right);
                    let mut body = written().to_vec();
                    body.extend([one, bind(CWND, imm(7))]);
                    accepted += u32::from(holds(&Source::new(&[]).when(&always(), &body)));
                }
            }
        }
    }
    assert!(accepted > 100_000, "{accepted} programs");
}

#[test]
fn every_operand_of_every_definition() {
    let regs = edges();
    let mut accepted = 0u32;
    for opcode in [Opcode::Def, Opcode::Def64] {
        for &result in &regs {
            for &left in &regs {
                for &right in &regs {
                    let definition = op(opcode, result, left, right);
                    accepted += u32::from(holds(&Source::new(&[definition]).when(&always(), &[])));
                }
            }
        }
    }
    // 12 registers, and as many constants as there are.
    assert_eq!(accepted, 12 * 4 + 12 * 16);
}

/// No two constants share a slot.
fn reads_every_constant(source: &Source) {
    let seen = look(&source.event_bytes(), &source.instruction_bytes()).unwrap();
    let read: BTreeSet<u8> = seen.ops.iter().flat_map(|op| op.reads.clone()).collect();
    // But 1, the condition, which needs no op, unless the body uses it as well.
    assert!(seen
        .values
        .iter()
        .all(|(slot, value)| read.contains(slot) || *value == 1));
}

/// Files of every size, and in each the last slot of every class.
#[test]
fn every_size_of_file() {
    let last = [r(15), c(15), t(15), l(7), p(31), RATE];
    let mut sizes = BTreeMap::<usize, u32>::new();
    for (reports, controls, tmps) in [(0, 0, 0), (1, 0, 0), (16, 16, 16)] {
        for constants in 0..=128u32 {
            let mut body = Vec::new();
            let classes = [(r as fn(u32) -> Reg, reports), (c, controls), (t, tmps)];
            for (class, count) in classes {
                body.extend((0..count).map(|index| bind(class(index), p(0))));
            }
            // The condition uses 1.
            let values = (1..=constants).map(|value| op(Opcode::Max, l(0), l(0), imm(value)));
            body.extend(values);
            let source = Source::new(&[]).when(&always(), &body);
            assert!(holds(&source));
            reads_every_constant(&source);
            let size = source.verify().unwrap().registers;
            *sizes.entry(size).or_default() += 1;
            if tmps == 0 {
                continue;
            }
            for reg in last {
                for opcode in [Opcode::Add, Opcode::Ewma, Opcode::If, Opcode::Gt] {
                    let mut body = body.clone();
                    let result = if reg.class == Class::Primitive {
                        r(15)
                    } else {
                        reg
                    };
                    body.push(op(opcode, result, reg, imm(1)));
                    assert!(holds(&Source::new(&[]).when(&always(), &body)));
                }
            }
        }
    }
    // 40 slots and the constants, 41, and 88.
    let expected = BTreeMap::from([(64, 25 + 24), (128, 64 + 64 + 41), (256, 40 + 41 + 88)]);
    assert_eq!(sizes, expected);
}

/// Two instructions joined by a register, in a condition and in a body: what
/// the decoder makes one op of.
#[test]
fn every_pair_of_opcodes() {
    let mut accepted = 0u32;
    let joins = [t(0), t(15), r(0), l(7), FLAG];
    let others = [p(2), imm(8), t(1), r(1)];
    for &first in Opcode::ALL {
        for &second in Opcode::ALL {
            for join in joins {
                for other in others {
                    for (left, right) in [(join, other), (other, join), (join, join)] {
                        for result in [join, r(1), FLAG, CONTINUE] {
                            let mut pair = written().to_vec();
                            pair.push(op(first, join, p(1), other));
                            pair.push(op(second, result, left, right));
                            let body = Source::new(&[]).when(&always(), &pair);
                            accepted += u32::from(holds(&body));
                            let condition = Source::new(&[]).when(&pair, &[bind(CWND, imm(1))]);
                            accepted += u32::from(holds(&condition));
                        }
                    }
                }
            }
        }
    }
    assert!(accepted > 100_000, "{accepted} programs");
}

#[test]
fn random_programs() {
    let mut events = 0;
    for seed in 0..10_000 {
        let source = programs::random(seed);
        assert!(holds(&source));
        events += source.events.len();
    }
    assert!(events > 20_000, "{events} events");
}

/// The greatest programs: units and distances have room.
#[test]
fn greatest_programs() {
    for filler in [
        bind(r(1), p(1)),
        op(Opcode::Gt, r(0), r(1), r(2)),
        op(Opcode::Add, t(0), r(0), r(0)),
    ] {
        for skip in [None, Some(c(0)), Some(imm(0))] {
            let mut body = vec![filler; 4095 - 128];
            body.extend((1..=127).map(|value| op(Opcode::Max, l(0), l(0), imm(value))));
            if let Some(left) = skip {
                body[0] = op(Opcode::SkipZ, FLAG, left, imm(body.len() as u32 - 1));
            }
            assert!(holds(&Source::new(&[]).when(&always(), &body)));
        }
    }
    let test = [
        op(Opcode::Gt, t(0), p(0), c(0)),
        op(Opcode::Add, FLAG, p(1), t(0)),
    ];
    let body = vec![bind(REPORT, imm(1)); 14];
    let events = (0..256).fold(Source::new(&[]), |source, _| source.when(&test, &body));
    assert!(holds(&events));
}

#[test]
fn ops_touch_what_they_say() {
    let mut known = BTreeSet::new();
    for seed in 0..10_000 {
        let source = programs::random(seed);
        let seen = look(&source.event_bytes(), &source.instruction_bytes()).unwrap();
        for op in seen.ops {
            if known.insert(op.shape()) {
                op.is_whole();
            }
        }
    }
    assert!(known.len() > 1000, "{} shapes", known.len());
}
