// SPDX-License-Identifier: GPL-2.0

//! Every rule of the verifier, broken alone: the right rule, the right place.

mod common;

use ccp_core::vm::{
    self,
    isa::{
        Class,
        Event,
        Instruction,
        Opcode,
        Reg, //
    },
    Error,
    Kind,
    Operand,
    Place, //
};
use common::*;

/// One event that is always true, with this body; the body is at 1.
fn body(body: &[Instruction]) -> Source {
    Source::new(&[]).when(&always(), body)
}

#[track_caller]
fn refused(source: &Source, place: Place, kind: Kind, text: &str) {
    refused_bytes(
        &source.event_bytes(),
        &source.instruction_bytes(),
        place,
        kind,
        text,
    );
}

#[track_caller]
fn refused_bytes(events: &[u8], instructions: &[u8], place: Place, kind: Kind, text: &str) {
    let error = Error { place, kind };
    assert_eq!(vm::verify(events, instructions), Err(error));
    assert_eq!(error.to_string(), text);
    let mut ops = vec![vm::Op::default(); 8192];
    let decoded = vm::decode(events, instructions, &mut ops);
    assert_eq!(decoded.err(), Some(error), "decode checks the same");
}

#[track_caller]
fn accepted(source: &Source) {
    assert_eq!(source.verify().err(), None);
    source.load();
}

#[test]
fn lengths() {
    let source = body(&[]);
    let (events, instructions) = (source.event_bytes(), source.instruction_bytes());
    refused_bytes(
        &events[..15],
        &instructions,
        Place::Program,
        Kind::EventBytes { bytes: 15 },
        "program: 15 bytes of events, not a multiple of 16",
    );
    refused_bytes(
        &events,
        &instructions[..3],
        Place::Program,
        Kind::InstructionBytes { bytes: 3 },
        "program: 3 bytes of instructions, not a multiple of 16",
    );
}

#[test]
fn no_events() {
    refused(
        &Source::new(&[def(r(0), 0)]),
        Place::Program,
        Kind::NoEvents,
        "program: has no events; at least one is needed",
    );
}

#[test]
fn too_many_events() {
    let grow = |count| (0..count).fold(Source::new(&[]), |source, _| source.when(&always(), &[]));
    accepted(&grow(256));
    refused(
        &grow(257),
        Place::Program,
        Kind::TooManyEvents { count: 257 },
        "program: 257 events, at most 256",
    );
}

#[test]
fn too_many_instructions() {
    accepted(&body(&vec![bind(c(0), imm(1)); 4095]));
    refused(
        &body(&vec![bind(c(0), imm(1)); 4096]),
        Place::Program,
        Kind::TooManyInstructions { count: 4097 },
        "program: 4097 instructions, at most 4096",
    );
}

#[test]
fn too_many_constants() {
    // The condition uses the constant 1 as well.
    let grow = |last| -> Vec<_> { (1..=last).map(|v| bind(c(0), imm(v))).collect() };
    accepted(&body(&grow(128)));
    refused(
        &body(&grow(129)),
        Place::Instruction(129),
        Kind::TooManyConstants,
        "instruction 129: more than 128 different constants",
    );
}

#[test]
fn ranges() {
    let change = |change: fn(&mut Event)| {
        let mut source = Source::new(&[def(c(0), 0)])
            .when(&always(), &[bind(c(0), imm(1))])
            .when(&always(), &[bind(c(0), imm(2))]);
        accepted(&source);
        change(&mut source.events[1]);
        source
    };
    refused(
        &change(|e| e.cond_start = 1),
        Place::Event(1),
        Kind::ConditionStart {
            expected: 3,
            found: 1,
        },
        "event 1: condition starts at instruction 1, must follow what is before it, at 3",
    );
    refused(
        &change(|e| e.cond_count = 0),
        Place::Event(1),
        Kind::EmptyCondition,
        "event 1: empty condition",
    );
    refused(
        &change(|e| e.body_start = 3),
        Place::Event(1),
        Kind::BodyStart {
            expected: 4,
            found: 3,
        },
        "event 1: body starts at instruction 3, must follow the condition, at 4",
    );
    refused(
        &change(|e| e.body_count = 2),
        Place::Event(1),
        Kind::PastEnd { end: 6, count: 5 },
        "event 1: ends at instruction 6, past the 5 instructions of the program",
    );
    refused(
        &change(|e| e.body_count = u32::MAX),
        Place::Event(1),
        Kind::PastEnd {
            end: 4 + u64::from(u32::MAX),
            count: 5,
        },
        "event 1: ends at instruction 4294967299, past the 5 instructions of the program",
    );
    refused(
        &change(|e| e.body_count = 0),
        Place::Program,
        Kind::Trailing { end: 4 },
        "program: instructions from 4 on belong to no event; the last event must end the program",
    );
}

#[test]
fn condition_must_write_the_flag() {
    let text = "the last instruction of a condition must write the event flag, always";
    for last in [
        bind(c(0), imm(1)),
        op(Opcode::If, FLAG, imm(1), imm(1)),
        op(Opcode::NotIf, FLAG, imm(1), imm(1)),
    ] {
        refused(
            &Source::new(&[]).when(&[bind(FLAG, imm(1)), last], &[]),
            Place::Instruction(1),
            Kind::FlagNotWritten,
            &format!("instruction 1: {text}"),
        );
    }
}

#[test]
fn unknown_opcodes() {
    let known: Vec<u8> = Opcode::ALL.iter().map(|o| *o as u8).collect();
    for code in (0..=255).filter(|code| !known.contains(code)) {
        let source = body(&[bind(c(0), imm(1))]);
        let mut instructions = source.instruction_bytes();
        instructions[16] = code;
        refused_bytes(
            &source.event_bytes(),
            &instructions,
            Place::Instruction(1),
            Kind::UnknownOpcode { code },
            &format!("instruction 1: unknown opcode {code}"),
        );
    }
}

#[test]
fn unknown_classes() {
    let places = [
        (1, Operand::Result, "result"),
        (6, Operand::Left, "left operand"),
        (11, Operand::Right, "right operand"),
    ];
    for (at, operand, name) in places {
        for code in [9, 255] {
            let source = body(&[bind(c(0), imm(1))]);
            let mut instructions = source.instruction_bytes();
            instructions[16 + at] = code;
            refused_bytes(
                &source.event_bytes(),
                &instructions,
                Place::Instruction(1),
                Kind::UnknownClass { operand, code },
                &format!("instruction 1: {name}: unknown register class {code}, at most 8"),
            );
        }
    }
}

#[test]
fn indices() {
    for class in Class::ALL {
        if class == Class::Immediate {
            continue;
        }
        let max = class.max_index();
        for index in [max + 1, 100_000, u32::MAX] {
            let bad = Reg::new(class, index);
            let cases = [
                (Operand::Result, op(Opcode::Add, bad, imm(0), imm(0))),
                (Operand::Left, op(Opcode::Add, c(0), bad, imm(0))),
                (Operand::Right, op(Opcode::Add, c(0), imm(0), bad)),
                // Ignored, and yet checked.
                (Operand::Left, op(Opcode::Bind, c(0), bad, imm(0))),
            ];
            for (operand, instruction) in cases {
                refused(
                    &body(&[instruction]),
                    Place::Instruction(1),
                    Kind::Index {
                        operand,
                        class,
                        index,
                    },
                    &format!(
                        "instruction 1: {operand}: {} {index} out of range (0..{max})",
                        class.name()
                    ),
                );
            }
        }
    }
}

#[test]
fn read_only_results() {
    for (reg, name) in [(imm(3), "immediate"), (p(0), "primitive")] {
        refused(
            &body(&[bind(reg, imm(1))]),
            Place::Instruction(1),
            Kind::ReadOnlyResult { class: reg.class },
            &format!("instruction 1: result: {name} can't be written"),
        );
    }
}

#[track_caller]
fn unwritten(source: &Source, at: u32, operand: Operand, index: u32) {
    refused(
        source,
        Place::Instruction(at),
        Kind::UnwrittenTmp { operand, index },
        &format!(
            "instruction {at}: {operand}: tmp register {index} is read, \
             but not written before on every path"
        ),
    );
}

#[test]
fn unwritten_tmps() {
    // P-4: libccp reads the memory of another register.
    unwritten(&body(&[bind(c(0), t(8))]), 1, Operand::Right, 8);
    let add = op(Opcode::Add, c(0), t(3), imm(1));
    unwritten(&body(&[add]), 1, Operand::Left, 3);
    let conditional = op(Opcode::If, t(1), imm(1), imm(1));
    unwritten(&body(&[conditional]), 1, Operand::Result, 1);
    let ewma = op(Opcode::Ewma, t(2), imm(1), imm(1));
    unwritten(&body(&[ewma]), 1, Operand::Result, 2);
    let skip = op(Opcode::SkipZ, FLAG, t(5), imm(1));
    unwritten(&body(&[skip, bind(c(0), imm(1))]), 1, Operand::Left, 5);
    // What a condition writes is gone in the body.
    let condition = [bind(t(0), imm(1)), bind(FLAG, t(0))];
    let source = Source::new(&[]).when(&condition, &[bind(c(0), t(0))]);
    unwritten(&source, 2, Operand::Right, 0);
    // The ignored left operand is not read.
    accepted(&body(&[op(Opcode::Bind, t(0), t(0), imm(1))]));
}

#[test]
fn tmps_written_on_some_paths_only() {
    let skip = |count| op(Opcode::SkipZ, FLAG, l(0), imm(count));
    let write = bind(t(0), imm(1));
    let read = bind(c(0), t(0));
    unwritten(&body(&[skip(1), write, read]), 3, Operand::Right, 0);
    accepted(&body(&[write, skip(1), write, read]));
    accepted(&body(&[skip(2), write, read]));
    // Both arms write.
    let other = op(Opcode::SkipZ, FLAG, imm(0), imm(1));
    accepted(&body(&[skip(2), write, other, write, read]));
    // One arm does not.
    let nothing = bind(c(1), imm(1));
    unwritten(
        &body(&[skip(2), write, other, nothing, read]),
        5,
        Operand::Right,
        0,
    );
    // Two skips to one place, one of them from before the write.
    unwritten(
        &body(&[skip(3), write, skip(1), nothing, read]),
        5,
        Operand::Right,
        0,
    );
}

#[test]
fn misplaced_def() {
    for definition in [def(c(0), 1), op(Opcode::Def64, c(0), imm(0), imm(0))] {
        refused(
            &body(&[definition]),
            Place::Instruction(1),
            Kind::MisplacedDef,
            "instruction 1: DEF in an event; definitions come before the first event",
        );
    }
}

#[test]
fn def_of_other_classes() {
    for (reg, name) in [
        (l(0), "local register"),
        (t(0), "tmp register"),
        (CWND, "implicit register"),
    ] {
        refused(
            &Source::new(&[def(r(0), 0), def(reg, 0)]).when(&always(), &[]),
            Place::Instruction(1),
            Kind::DefClass { class: reg.class },
            &format!(
                "instruction 1: DEF of {name}; \
                 only control and report registers have an initial value"
            ),
        );
    }
}

#[test]
fn def_of_two_registers() {
    refused(
        &Source::new(&[op(Opcode::Def, r(0), r(1), imm(0))]).when(&always(), &[]),
        Place::Instruction(0),
        Kind::DefMismatch,
        "instruction 0: DEF whose result and left operand differ",
    );
}

#[test]
fn duplicate_def() {
    for (first, second, name) in [
        (r(2), vr(2), "volatile report register"),
        (vc(2), c(2), "control register"),
    ] {
        refused(
            &Source::new(&[def(first, 0), def(second, 0)]).when(&always(), &[]),
            Place::Instruction(1),
            Kind::DuplicateDef {
                class: second.class,
                index: 2,
            },
            &format!("instruction 1: {name} 2 is defined twice"),
        );
    }
    accepted(&Source::new(&[def(r(2), 0), def(c(2), 0)]).when(&always(), &[]));
}

#[test]
fn immediates() {
    let mut definition = def(r(0), 0);
    definition.right = c(0);
    let cases = [
        (
            Source::new(&[definition]).when(&always(), &[]),
            0,
            Operand::Right,
        ),
        (
            Source::new(&[op(Opcode::Def64, r(0), c(0), imm(0))]).when(&always(), &[]),
            0,
            Operand::Left,
        ),
        (
            body(&[op(Opcode::Const, c(0), c(0), imm(0))]),
            1,
            Operand::Left,
        ),
        (
            body(&[op(Opcode::Const, c(0), imm(0), c(0))]),
            1,
            Operand::Right,
        ),
        (
            body(&[op(Opcode::SkipZ, FLAG, c(0), c(0))]),
            1,
            Operand::Right,
        ),
    ];
    for (source, at, operand) in cases {
        refused(
            &source,
            Place::Instruction(at),
            Kind::NotImmediate { operand },
            &format!("instruction {at}: {operand}: must be an immediate"),
        );
    }
}

#[test]
fn skips() {
    let skip = |count| op(Opcode::SkipZ, FLAG, l(0), imm(count));
    let nothing = bind(c(0), imm(1));
    refused(
        &body(&[skip(0), nothing]),
        Place::Instruction(1),
        Kind::EmptySkip,
        "instruction 1: skips no instruction; at least one is needed",
    );
    accepted(&body(&[skip(1), nothing]));
    refused(
        &body(&[skip(2), nothing]).when(&always(), &[]),
        Place::Instruction(1),
        Kind::SkipPastEnd { target: 4, end: 3 },
        "instruction 1: skips to instruction 4, past the end of its condition or body, 3",
    );
    refused(
        &body(&[skip(u32::MAX), nothing]),
        Place::Instruction(1),
        Kind::SkipPastEnd {
            target: 2 + u64::from(u32::MAX),
            end: 3,
        },
        "instruction 1: skips to instruction 4294967297, past the end of its condition or body, 3",
    );
    // In a condition the last instruction can't be skipped.
    let flag = bind(FLAG, imm(1));
    accepted(&Source::new(&[]).when(&[skip(1), nothing, flag], &[]));
    refused(
        &Source::new(&[]).when(&[skip(2), nothing, flag], &[]),
        Place::Instruction(0),
        Kind::SkipPastEnd { target: 3, end: 2 },
        "instruction 0: skips to instruction 3, past the end of its condition or body, 2",
    );
}

#[test]
fn too_many_skips() {
    // Skip i leads to its own place in a run of `count` instructions after all.
    let grow = |count: u32| -> Vec<_> {
        let skips = (0..count).map(|_| op(Opcode::SkipZ, FLAG, l(0), imm(count)));
        skips
            .chain((0..count).map(|_| bind(c(0), imm(1))))
            .collect()
    };
    accepted(&body(&grow(32)));
    refused(
        &body(&grow(33)),
        Place::Instruction(33),
        Kind::TooManySkips,
        "instruction 33: more than 32 skip targets lie ahead; nest less deeply",
    );
    // Any number to one place.
    let many: Vec<_> = (1..100)
        .rev()
        .map(|count| op(Opcode::SkipZ, FLAG, l(0), imm(count)))
        .chain([bind(c(0), imm(1))])
        .collect();
    accepted(&body(&many));
}

#[test]
fn buffer() {
    let source = body(&[bind(c(0), imm(2))]);
    let layout = source.verify().unwrap();
    for given in [0, layout.ops - 1, layout.ops + 1] {
        let mut ops = vec![vm::Op::default(); given];
        let error =
            vm::decode(&source.event_bytes(), &source.instruction_bytes(), &mut ops).unwrap_err();
        let needed = layout.ops;
        assert_eq!(error.kind, Kind::Buffer { needed, given });
        assert_eq!(
            error.to_string(),
            format!("program: decoding needs {needed} units, the buffer has {given}")
        );
    }
}

#[test]
fn updates() {
    let mut machine = Source::new(&[def(c(0), 0), def(vc(1), 0), def(r(0), 0)])
        .when(&always(), &[])
        .load();
    let mut refused = |class, index, kind, text: &str| {
        let error = Error {
            place: Place::Update,
            kind,
        };
        assert_eq!(machine.update(class, index, 7), Err(error));
        assert_eq!(error.to_string(), text);
    };
    for class in [1, 3, 4, 5, 6, 7, 9, 255] {
        refused(
            class,
            0,
            Kind::UpdateClass { code: class },
            &format!(
                "update: register class {class} can't be updated; \
                 control registers (0, 8), Cwnd and Rate can"
            ),
        );
    }
    for index in [0, 1, 2, 3, 6, u32::MAX] {
        refused(
            2,
            index,
            Kind::UpdateImplicit { index },
            &format!(
                "update: implicit register {index} can't be updated; \
                 only Cwnd (4) and Rate (5) can"
            ),
        );
    }
    // P-17: libccp writes anywhere in memory.
    for class in [0, 8] {
        for index in [2, 15, 16, 100_000, u32::MAX] {
            refused(
                class,
                index,
                Kind::UpdateControl { index, controls: 2 },
                &format!("update: control register {index}: the program has 0..1"),
            );
        }
    }
    let mut bare = Source::new(&[]).when(&always(), &[]).load();
    assert_eq!(
        bare.update(0, 0, 7).unwrap_err().to_string(),
        "update: control register 0: the program has no control registers"
    );
}

/// Longest messages fit what netlink's extended acknowledgement carries.
#[test]
fn messages_are_short() {
    let kinds = [
        Kind::Index {
            operand: Operand::Right,
            class: Class::VolatileControl,
            index: u32::MAX,
        },
        Kind::PastEnd {
            end: 3 * u64::from(u32::MAX),
            count: 4096,
        },
        Kind::SkipPastEnd {
            target: 2 * u64::from(u32::MAX),
            end: 4096,
        },
        Kind::Trailing { end: 4096 },
        Kind::DefClass {
            class: Class::Implicit,
        },
        Kind::UpdateClass { code: 255 },
        Kind::UpdateImplicit { index: u32::MAX },
    ];
    for kind in kinds {
        let place = Place::Instruction(4095);
        assert!(Error { place, kind }.to_string().len() < 200);
    }
}
