// SPDX-License-Identifier: GPL-2.0
//! Each row of "Deviations from libccp" in `docs/isa.md`: what libccp does and
//! what our machine does.

#[allow(
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "another crate's file, with its own lints"
)]
#[path = "../../../rust/core/tests/common/mod.rs"]
mod common;

use std::panic::{catch_unwind, AssertUnwindSafe};

use ccp_core::vm::{
    isa::{primitive, Class, Event, Opcode::*, Reg},
    Kind, PRIMITIVES,
};
use ccp_vm_tests::{AckSample, Code, Datapath, Effects, Libccp, Ours, Refusal, Update};
use common::{
    always, bind, c, def, imm, l, op, p, r, t, vc, vr, Source, CONTINUE, CWND, FLAG, MICROS, RATE,
    REPORT,
};

type Done = Result<Effects, Code>;

/// An ACK on which each primitive is its index plus one, but for the RTT.
fn ack(now_us: u64) -> AckSample {
    let mut primitives = [0; PRIMITIVES];
    for (index, value) in (1..).zip(&mut primitives) {
        *value = index;
    }
    primitives[primitive::ACK_NOW] = now_us;
    primitives[primitive::FLOW_WAS_TIMEOUT] = 0;
    AckSample {
        primitives,
        now_us,
        cwnd: 14_480,
        rate: 1_000_000,
    }
}

fn wide(primitive: usize, value: u64) -> AckSample {
    let mut ack = ack(1_000_000);
    ack.primitives[primitive] = value;
    ack
}

fn load(mut datapath: impl Datapath, source: &Source) -> impl Datapath {
    let (events, instructions) = (source.event_bytes(), source.instruction_bytes());
    datapath.install(1, &events, &instructions).unwrap();
    datapath.change_program(1, &[]).unwrap();
    datapath
}

fn invoke(datapath: &mut impl Datapath, ack: &AckSample) -> Done {
    datapath.invoke(ack).cloned()
}

/// What libccp and our machine do at the last of these ACKs.
fn last(source: &Source, acks: &[AckSample]) -> (Done, Done) {
    let mut libccp = load(Libccp::new(), source);
    let mut ours = load(Ours::new(), source);
    let mut done = (Err(Code(0)), Err(Code(0)));
    for ack in acks {
        done = (invoke(&mut libccp, ack), invoke(&mut ours, ack));
    }
    done
}

/// The first field that libccp and our machine report at the last of these
/// ACKs.
fn field(source: &Source, acks: &[AckSample]) -> (Result<u64, Code>, Result<u64, Code>) {
    let (libccp, ours) = last(source, acks);
    let field = |done: Done| done.map(|effects| effects.report().expect("a report")[0]);
    (field(libccp), field(ours))
}

/// A program that reports r0 at every ACK, after these instructions.
fn reporting(body: &[ccp_core::vm::isa::Instruction]) -> Source {
    let mut body = body.to_vec();
    body.push(bind(REPORT, imm(1)));
    Source::new(&[def(r(0), 0)]).when(&always(), &body)
}

/// What our machine says to a program that libccp takes.
fn refused(source: &Source) -> Kind {
    let (events, instructions) = (source.event_bytes(), source.instruction_bytes());
    let libccp = Libccp::new().install(1, &events, &instructions);
    assert_eq!(libccp, Ok(()), "libccp");
    match Ours::new().install(1, &events, &instructions) {
        Err(Refusal::Verifier(error)) => error.kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn mul_aborts_on_every_overflow() {
    let square = reporting(&[op(Mul, r(0), p(11), p(11))]);
    // The low half of the square of 2^32 + 1 is greater than 2^32 + 1.
    let x = (1 << 32) + 1;
    let acks = [wide(primitive::FLOW_RATE_INCOMING, x)];
    let unnoticed = x.wrapping_mul(x);
    assert_eq!(
        field(&square, &acks),
        (Ok(unnoticed), Err(Code::MUL_OVERFLOW))
    );
    // That of the square of 2^32 is 0.
    let acks = [wide(primitive::FLOW_RATE_INCOMING, 1 << 32)];
    let noticed = Err(Code::MUL_OVERFLOW);
    assert_eq!(field(&square, &acks), (noticed, noticed));
}

#[test]
fn ewma_is_exact_or_aborts() {
    let average = |weight, new| reporting(&[bind(r(0), p(11)), op(Ewma, r(0), imm(weight), new)]);
    let old = |value| [wide(primitive::FLOW_RATE_INCOMING, value)];
    let half = 1 << 63;
    assert_eq!(field(&average(5, p(11)), &old(half)), (Ok(0), Ok(half)));
    assert_eq!(field(&average(12, imm(200)), &old(100)), (Ok(80), Ok(80)));
    let wrapped = 12u64.wrapping_sub(2 * 200) / 10;
    let aborted = Err(Code::SUB_UNDERFLOW);
    assert_eq!(
        field(&average(12, imm(200)), &old(1)),
        (Ok(wrapped), aborted)
    );
    let aborted = Err(Code::MUL_OVERFLOW);
    assert_eq!(field(&average(12, imm(200)), &old(half)).1, aborted);
}

#[test]
fn maxwrap_of_opposite_numbers_is_the_right_one() {
    let later = reporting(&[op(MaxWrap, r(0), p(0), p(1))]);
    let pair = |left, right| {
        let mut ack = ack(1);
        ack.primitives[0] = left;
        ack.primitives[1] = right;
        field(&later, &[ack])
    };
    let half = 1 << 31;
    assert_eq!(pair(5, half + 5), (Ok(5), Ok(half + 5)));
    assert_eq!(pair(half + 5, 5), (Ok(5), Ok(5)));
    assert_eq!(pair(5, half + 4), (Ok(half + 4), Ok(half + 4)));
    assert_eq!(pair(5, half + 6), (Ok(5), Ok(5)));
}

#[test]
fn micros_counts_on_from_what_is_written() {
    let program = Source::new(&[def(r(0), 0), def(r(1), 0)]).when(
        &always(),
        &[
            bind(r(0), MICROS),
            op(Equiv, t(0), r(1), imm(0)),
            op(If, MICROS, t(0), imm(5000)),
            bind(r(1), imm(1)),
            bind(REPORT, imm(1)),
        ],
    );
    let acks = [ack(1_000_000), ack(1_001_000)];
    assert_eq!(field(&program, &acks), (Ok(1005), Ok(6000)));
}

#[test]
fn ack_now_is_the_monotonic_clock() {
    let program = reporting(&[bind(r(0), p(primitive::ACK_NOW))]);
    let mut libccp = load(Libccp::starting_at(5_000_000), &program);
    let mut ours = load(Ours::new(), &program);
    let first = |done: Done| done.unwrap().report().unwrap()[0];
    let ack = ack(7_000_000);
    assert_eq!(first(invoke(&mut libccp, &ack)), 2_000_000);
    assert_eq!(first(invoke(&mut ours, &ack)), 7_000_000);
}

#[test]
fn sixteen_tmp_registers() {
    let program = reporting(&[
        bind(l(0), imm(77)),
        op(Add, t(8), imm(5), imm(5)),
        bind(r(0), t(8)),
    ]);
    assert_eq!(field(&program, &[ack(1)]), (Ok(77), Ok(10)));
}

#[test]
fn a_tmp_register_is_written_before_it_is_read() {
    let unwritten = reporting(&[bind(r(0), t(0)), bind(t(0), imm(1))]);
    let mut libccp = load(Libccp::new(), &unwritten);
    invoke(&mut libccp, &ack(1)).unwrap();
    let old = invoke(&mut libccp, &ack(2)).unwrap();
    assert_eq!(old.report(), Some(&[1][..]));
    assert!(matches!(refused(&unwritten), Kind::UnwrittenTmp { .. }));
}

#[test]
fn sixteen_control_and_report_registers() {
    for reg in [r(16), vr(16), c(16), vc(16), r(109), c(109)] {
        let many = Source::new(&[def(reg, 1)]).when(&always(), &[]);
        assert!(matches!(refused(&many), Kind::Index { .. }));
    }
}

#[test]
fn more_than_255_instructions() {
    // Every instruction reads libccp's clock.
    let program = |count: usize| {
        let body = vec![bind(MICROS, imm(0)); count - 1];
        Source::new(&[]).when(&always(), &body)
    };
    let run = |count| {
        let mut libccp = load(Libccp::new(), &program(count));
        Libccp::limit_clock_reads(10_000);
        let run = catch_unwind(AssertUnwindSafe(|| invoke(&mut libccp, &ack(1))));
        Libccp::limit_clock_reads(u64::MAX);
        run.map_err(|_| "never ends")
    };
    let once = Some(14_480);
    assert_eq!(run(255).unwrap().unwrap().cwnd, once);
    assert_eq!(run(256).unwrap_err(), "never ends");
    for count in [256, 4096] {
        let mut ours = load(Ours::new(), &program(count));
        assert_eq!(invoke(&mut ours, &ack(1)).unwrap().cwnd, once);
    }
}

#[test]
fn no_definition_in_an_event() {
    let program = reporting(&[def(r(0), 5)]);
    let libccp = invoke(&mut load(Libccp::new(), &program), &ack(1)).unwrap();
    assert_eq!(libccp.report(), Some(&[0][..]));
    assert_eq!(refused(&program), Kind::MisplacedDef);
}

#[test]
fn opcodes_classes_and_indices_are_checked() {
    // Of these libccp checks something.
    let valid = reporting(&[bind(r(0), imm(1))]);
    for (at, byte, code) in [
        (0, 15, -33),
        (1, 1, -34),
        (1, 4, -34),
        (1, 9, -35),
        (6, 9, -36),
        (11, 9, -37),
    ] {
        let mut instructions = valid.instruction_bytes();
        instructions[2 * 16 + at] = byte;
        let events = valid.event_bytes();
        let libccp = Libccp::new().install(1, &events, &instructions);
        assert_eq!(libccp, Err(Refusal::Code(code)));
        let ours = Ours::new().install(1, &events, &instructions);
        assert!(matches!(ours, Err(Refusal::Verifier(_))));
    }
    // A primitive that it doesn't know reads 0.
    let unknown = reporting(&[bind(r(0), p(PRIMITIVES + 20))]);
    let libccp = invoke(&mut load(Libccp::new(), &unknown), &ack(1)).unwrap();
    assert_eq!(libccp.report(), Some(&[0][..]));
    assert!(matches!(refused(&unknown), Kind::Index { .. }));
    // It would read what lies behind a flow's registers.
    let beyond = reporting(&[bind(r(0), l(8))]);
    let (events, instructions) = (beyond.event_bytes(), beyond.instruction_bytes());
    let harness = Libccp::new().install(1, &events, &instructions);
    assert!(matches!(harness, Err(Refusal::Unsound(_))));
    let ours = Ours::new().install(1, &events, &instructions);
    assert!(matches!(ours, Err(Refusal::Verifier(_))));
}

#[test]
fn conditions_write_the_flag() {
    let defs = [def(r(0), 0)];
    let counted = [
        op(Add, r(0), r(0), imm(1)),
        bind(CONTINUE, imm(1)),
        bind(REPORT, imm(1)),
    ];
    let empty = Source::new(&defs)
        .when(&always(), &counted)
        .when(&[], &counted);
    let keeps = [bind(l(0), imm(0))];
    let keeps = Source::new(&defs)
        .when(&always(), &counted)
        .when(&keeps, &counted);
    for (program, kind) in [(empty, Kind::EmptyCondition), (keeps, Kind::FlagNotWritten)] {
        // The second body runs with the flag of the first condition.
        let libccp = invoke(&mut load(Libccp::new(), &program), &ack(1)).unwrap();
        assert_eq!(libccp.report(), Some(&[2][..]));
        assert_eq!(refused(&program), kind);
    }
}

#[test]
fn a_body_that_clears_the_event_flag_ends_the_events() {
    let program = Source::new(&[def(r(0), 1)])
        .when(&always(), &[bind(FLAG, imm(0)), bind(REPORT, imm(1))])
        .when(&always(), &[bind(r(0), imm(2))]);
    assert_eq!(field(&program, &[ack(1)]), (Ok(2), Ok(1)));
}

#[test]
fn ranges_follow_each_other() {
    let mut twice = Source::new(&[def(r(0), 0)]).when(
        &always(),
        &[
            op(Add, r(0), r(0), imm(1)),
            bind(CONTINUE, imm(1)),
            bind(REPORT, imm(1)),
        ],
    );
    let event = twice.events[0];
    twice.events.push(event);
    let libccp = invoke(&mut load(Libccp::new(), &twice), &ack(1)).unwrap();
    assert_eq!(libccp.report(), Some(&[2][..]));
    assert!(matches!(refused(&twice), Kind::ConditionStart { .. }));
    let event = Event {
        body_start: 0,
        ..event
    };
    let back = Source {
        events: vec![event],
        ..twice
    };
    assert!(matches!(refused(&back), Kind::BodyStart { .. }));
}

#[test]
fn a_report_has_all_registers_up_to_the_highest() {
    let program =
        Source::new(&[def(r(0), 7)]).when(&always(), &[bind(r(2), imm(9)), bind(REPORT, imm(1))]);
    let (libccp, ours) = last(&program, &[ack(1)]);
    assert_eq!(libccp.unwrap().report(), Some(&[7][..]));
    assert_eq!(ours.unwrap().report(), Some(&[7, 0, 9][..]));
}

#[test]
fn a_register_without_definition_starts_from_0() {
    let first = Source::new(&[def(c(0), 5)]).when(&always(), &[bind(l(0), imm(6))]);
    let second = reporting(&[op(Add, r(0), c(0), l(0))]);
    let run = |mut datapath: Box<dyn Datapath>| {
        for (uid, source) in [(1, &first), (2, &second)] {
            let (events, instructions) = (source.event_bytes(), source.instruction_bytes());
            datapath.install(uid, &events, &instructions).unwrap();
        }
        datapath.change_program(1, &[]).unwrap();
        datapath.invoke(&ack(1)).unwrap();
        datapath.change_program(2, &[]).unwrap();
        datapath.invoke(&ack(2)).unwrap().report().unwrap()[0]
    };
    // Locals stay in both.
    assert_eq!(run(Box::new(Libccp::new())), 11);
    assert_eq!(run(Box::new(Ours::new())), 6);
}

#[test]
fn window_and_rate_have_64_bits() {
    let program = Source::new(&[]).when(
        &always(),
        &[op(Mul, CWND, p(11), imm(16)), op(Mul, RATE, p(11), imm(3))],
    );
    let value = (1 << 32) + 5;
    let (libccp, ours) = last(&program, &[wide(primitive::FLOW_RATE_INCOMING, value)]);
    let (libccp, ours) = (libccp.unwrap(), ours.unwrap());
    assert_eq!((libccp.cwnd, libccp.rate), (Some(16 * 5), Some(3 * 5)));
    assert_eq!((ours.cwnd, ours.rate), (Some(16 * value), Some(3 * value)));
}

#[test]
fn an_update_to_0_changes_nothing() {
    let program = reporting(&[op(Add, r(0), CWND, RATE)]);
    let zero = |index| Update {
        class: Class::Implicit as u8,
        index,
        value: 0,
    };
    let run = |mut datapath: Box<dyn Datapath>| {
        let (events, instructions) = (program.event_bytes(), program.instruction_bytes());
        datapath.install(1, &events, &instructions).unwrap();
        datapath.change_program(1, &[zero(4), zero(5)]).unwrap();
        let effects = datapath.invoke(&ack(1)).unwrap();
        (effects.report().unwrap()[0], effects.cwnd)
    };
    assert_eq!(run(Box::new(Libccp::new())), (0, None));
    assert_eq!(run(Box::new(Ours::new())), (1_014_480, Some(14_480)));
}

#[test]
fn updates_of_other_registers_are_refused() {
    let program = Source::new(&[def(c(0), 1), def(r(0), 2)]).when(&always(), &[]);
    let mut libccp = load(Libccp::new(), &program);
    let mut ours = load(Ours::new(), &program);
    let mut update = |reg: Reg| {
        let update = Update {
            class: reg.class as u8,
            index: reg.index,
            value: 9,
        };
        let libccp = libccp.update(&[update]);
        match ours.update(&[update]) {
            Err(Refusal::Verifier(error)) => (libccp, Some(error.kind)),
            other => (libccp, other.map(|()| None).unwrap()),
        }
    };
    for reg in [c(0), vc(0), CWND, RATE] {
        assert_eq!(update(reg), (Ok(()), None));
    }
    for reg in [FLAG, CONTINUE, REPORT, MICROS] {
        let kind = Kind::UpdateImplicit { index: reg.index };
        assert_eq!(update(reg), (Ok(()), Some(kind)));
    }
    for reg in [r(0), vr(0), l(0), t(0), p(0), imm(0)] {
        let kind = Kind::UpdateClass {
            code: reg.class as u8,
        };
        assert_eq!(update(reg), (Err(Refusal::Code(-53)), Some(kind)));
    }
    // A control register that the program doesn't name.
    let kind = Kind::UpdateControl {
        index: 1,
        controls: 1,
    };
    assert_eq!(update(c(1)), (Ok(()), Some(kind)));
    // One that libccp would write far outside its memory.
    let (libccp, ours) = update(c(100_000));
    assert!(matches!(libccp, Err(Refusal::Unsound(_))));
    assert!(matches!(ours, Some(Kind::UpdateControl { .. })));
}

#[test]
fn updates_of_unnamed_control_registers_are_kept_by_libccp() {
    let first = Source::new(&[def(c(0), 1)]).when(&always(), &[]);
    let second = reporting(&[bind(r(0), c(1))]);
    let mut libccp = load(Libccp::new(), &first);
    let (events, instructions) = (second.event_bytes(), second.instruction_bytes());
    libccp.install(2, &events, &instructions).unwrap();
    let update = Update {
        class: 0,
        index: 1,
        value: 9,
    };
    libccp.update(&[update]).unwrap();
    invoke(&mut libccp, &ack(1)).unwrap();
    libccp.change_program(2, &[]).unwrap();
    let effects = invoke(&mut libccp, &ack(2)).unwrap();
    assert_eq!(effects.report(), Some(&[9][..]));
}
