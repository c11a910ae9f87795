// SPDX-License-Identifier: GPL-2.0
//! What was once measured on libccp by hand: it still does it, and our machine
//! does the same. Where it doesn't, the probe is in `deviations.rs`.

#[allow(
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "another crate's file, with its own lints"
)]
#[path = "../../../rust/core/tests/common/mod.rs"]
mod common;

use ccp_core::vm::isa::{
    primitive,
    Opcode::{Add, Div, Ewma, MaxWrap, Mul},
};
use ccp_vm_tests::{Code, Datapath, Effects, Libccp, Ours, Refusal, Update};
use common::{always, bind, c, def, imm, input, op, p, r, vr, Source, CONTINUE, CWND, REPORT};

fn both() -> [Box<dyn Datapath>; 2] {
    [Box::new(Libccp::new()), Box::new(Ours::new())]
}

fn install(datapath: &mut dyn Datapath, uid: u32, source: &Source) -> Result<(), Refusal> {
    datapath.install(uid, &source.event_bytes(), &source.instruction_bytes())
}

/// What a program does at its first ACK, on both machines.
fn run(source: &Source) -> Result<Effects, Code> {
    let [libccp, ours] = both().map(|mut datapath| {
        install(&mut *datapath, 1, source).unwrap();
        datapath.change_program(1, &[]).unwrap();
        datapath.invoke(&input(1_000_000)).cloned()
    });
    assert_eq!(libccp, ours);
    ours
}

#[test]
fn p1_change_to_an_unknown_program() {
    let source = Source::new(&[]).when(&always(), &[]);
    for mut datapath in both() {
        assert_eq!(install(&mut *datapath, 1, &source), Ok(()));
        assert_eq!(datapath.change_program(1, &[]), Ok(()));
        // libccp's own answer is 8, which isn't an error.
        let unknown = Refusal::UnknownProgram(9);
        assert_eq!(datapath.change_program(9, &[]), Err(unknown));
        assert!(datapath.invoke(&input(1)).is_ok());
    }
}

#[test]
fn p2_fallthrough_is_sticky() {
    let count = |index, also| {
        let mut body = vec![op(Add, r(index), r(index), imm(1))];
        body.extend(also);
        body
    };
    let source = Source::new(&[def(r(0), 0), def(r(1), 0), def(r(2), 0)])
        .when(&always(), &count(0, Some(bind(CONTINUE, imm(1)))))
        .when(&always(), &count(1, None))
        .when(&always(), &count(2, Some(bind(REPORT, imm(1)))));
    assert_eq!(run(&source).unwrap().report(), Some(&[1, 1, 1][..]));
}

#[test]
fn p5_an_abort_has_no_effects() {
    let body = [
        bind(CWND, imm(1234)),
        bind(REPORT, imm(1)),
        op(Div, r(0), imm(1), imm(0)),
    ];
    let source = Source::new(&[def(r(0), 0)]).when(&always(), &body);
    for mut datapath in both() {
        install(&mut *datapath, 1, &source).unwrap();
        datapath.change_program(1, &[]).unwrap();
        let done = datapath.invoke(&input(1)).map(|_| ());
        assert_eq!(done, Err(Code::DIVIDE_BY_ZERO));
        assert_eq!(*datapath.effects(), Effects::default());
    }
}

/// An abort doesn't take back what an update set before it.
#[test]
fn an_update_before_an_abort_counts() {
    let source = Source::new(&[def(r(0), 0)]).when(&always(), &[op(Div, r(0), imm(1), imm(0))]);
    for mut datapath in both() {
        install(&mut *datapath, 1, &source).unwrap();
        let cwnd = Update {
            class: 2,
            index: 4,
            value: 9000,
        };
        datapath.change_program(1, &[cwnd]).unwrap();
        let done = datapath.invoke(&input(1)).map(|_| ());
        assert_eq!(done, Err(Code::DIVIDE_BY_ZERO));
        assert_eq!(datapath.effects().cwnd, Some(9000));
    }
}

#[test]
fn p7_any_number_of_programs() {
    let source = Source::new(&[]).when(&always(), &[]);
    let [mut libccp, mut ours] = both();
    for uid in 1..=11 {
        let answer = match uid {
            1..=9 => Ok(()),
            _ => Err(Refusal::Code(-81)),
        };
        assert_eq!(install(&mut *libccp, uid, &source), answer);
        assert_eq!(install(&mut *ours, uid, &source), Ok(()));
    }
}

#[test]
fn p10_both_spellings_of_infinity() {
    let defs = [def(r(0), u32::MAX), def(r(1), 0x3fff_ffff)];
    let source = Source::new(&defs).when(&always(), &[bind(REPORT, imm(1))]);
    let infinity = u64::from(u32::MAX);
    assert_eq!(
        run(&source).unwrap().report(),
        Some(&[infinity, infinity][..])
    );
}

#[test]
fn p11_p12_p13_ewma_and_maxwrap() {
    let defs = [def(r(0), 100), def(r(1), 100), def(r(2), 0), def(r(3), 0)];
    let body = [
        op(Ewma, r(0), imm(2), imm(200)),
        op(Ewma, r(1), imm(12), imm(200)),
        op(Ewma, r(2), imm(2), imm(200)),
        op(MaxWrap, r(3), imm(0xffff_fff0), imm(5)),
        bind(REPORT, imm(1)),
    ];
    let source = Source::new(&defs).when(&always(), &body);
    assert_eq!(run(&source).unwrap().report(), Some(&[180, 80, 200, 5][..]));
}

#[test]
fn p14_volatile_and_other_registers_are_reported() {
    let defs = [
        def(vr(0), 1),
        def(r(1), 2),
        def(vr(2), 3),
        def(r(3), 4),
        def(r(4), 5),
    ];
    let body = [
        bind(REPORT, imm(1)),
        op(Add, vr(0), vr(0), imm(10)),
        op(Add, r(1), r(1), imm(10)),
    ];
    let source = Source::new(&defs).when(&always(), &body);
    for mut datapath in both() {
        install(&mut *datapath, 1, &source).unwrap();
        datapath.change_program(1, &[]).unwrap();
        for r1 in [12, 22, 32] {
            let effects = datapath.invoke(&input(1)).unwrap();
            assert_eq!(effects.report(), Some(&[11, r1, 3, 4, 5][..]));
        }
    }
}

#[test]
fn p15_13_times_13_times_a_square() {
    let square = [
        op(Mul, r(0), imm((1 << 31) - 1), imm((1 << 31) - 1)),
        op(Mul, r(0), imm(13), r(0)),
        op(Mul, r(0), imm(13), r(0)),
        bind(REPORT, imm(1)),
    ];
    let source = Source::new(&[def(r(0), 0)]).when(&always(), &square);
    let [libccp, ours] = both().map(|mut datapath| {
        install(&mut *datapath, 1, &source).unwrap();
        datapath.change_program(1, &[]).unwrap();
        datapath.invoke(&input(1)).map(|_| ())
    });
    assert_eq!((libccp, ours), (Ok(()), Err(Code::MUL_OVERFLOW)));
}

/// P-16: libccp takes 2000 instructions and writes them over whatever follows
/// its program. The harness doesn't let it.
#[test]
fn p16_2000_instructions() {
    let body = vec![bind(c(0), p(primitive::ACK_NOW)); 1999];
    let source = Source::new(&[]).when(&always(), &body);
    let [mut libccp, mut ours] = both();
    let refusal = install(&mut *libccp, 1, &source);
    assert!(matches!(refusal, Err(Refusal::Unsound(_))));
    install(&mut *ours, 1, &source).unwrap();
    ours.change_program(1, &[]).unwrap();
    assert!(ours.invoke(&input(1)).is_ok());
}
