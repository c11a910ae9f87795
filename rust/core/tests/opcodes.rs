// SPDX-License-Identifier: GPL-2.0

//! Every opcode, on values that tell it from its neighbours, and every class
//! as operand and as result.

mod common;

use ccp_core::vm::{
    isa::{
        Class,
        Opcode,
        Reg, //
    },
    Abort, //
};
use common::*;

const MAX: u64 = u64::MAX;

/// Runs one instruction whose old result, left and right are given, in report
/// register 0, local 0 and local 1.
fn run(opcode: Opcode, old: u64, left: u64, right: u64) -> Result<u64, Abort> {
    let body = [op(opcode, r(0), l(0), l(1)), bind(REPORT, imm(1))];
    let source = Source::new(&[def(r(0), 0)]).when(&always(), &body);
    let mut machine = source.load();
    let at = machine.file.len();
    machine.file[6] = left;
    machine.file[7] = right;
    // Report register 0 follows the locals and the primitives.
    machine.file[40] = old;
    assert_eq!(at, 256);
    let outcome = machine.run(&input(0));
    match outcome.abort {
        Some(abort) => {
            assert!(!outcome.report && outcome.cwnd == 0 && outcome.rate == 0);
            assert_eq!(machine.report(), [old], "an abort writes no result");
            Err(abort)
        }
        None => {
            assert!(outcome.report);
            Ok(machine.report()[0])
        }
    }
}

#[track_caller]
fn check(opcode: Opcode, cases: &[(u64, u64, Result<u64, Abort>)]) {
    for (left, right, expected) in cases {
        let got = run(opcode, 5, *left, *right);
        assert_eq!(got, *expected, "{} {left} {right}", opcode.name());
    }
}

#[test]
fn add() {
    check(
        Opcode::Add,
        &[
            (3, 4, Ok(7)),
            (MAX - 1, 1, Ok(MAX)),
            (MAX, 1, Err(Abort::AddOverflow)),
            (1, MAX, Err(Abort::AddOverflow)),
        ],
    );
}

#[test]
fn bind_copies_right() {
    check(Opcode::Bind, &[(3, 4, Ok(4)), (3, MAX, Ok(MAX))]);
}

#[test]
fn div() {
    check(
        Opcode::Div,
        &[
            (7, 2, Ok(3)),
            (0, 9, Ok(0)),
            (MAX, 1, Ok(MAX)),
            (7, 0, Err(Abort::DivideByZero)),
        ],
    );
}

#[test]
fn mul_overflow_is_exact() {
    let p = (1u64 << 31) - 1;
    check(
        Opcode::Mul,
        &[
            (6, 7, Ok(42)),
            (0, MAX, Ok(0)),
            (1 << 32, (1 << 32) - 1, Ok(0xffff_ffff_0000_0000)),
            (1 << 32, 1 << 32, Err(Abort::MulOverflow)),
            // libccp lets 13·(13·(2^31−1)²) pass.
            (13 * p, 13 * p, Err(Abort::MulOverflow)),
        ],
    );
}

#[test]
fn sub() {
    check(
        Opcode::Sub,
        &[
            (7, 7, Ok(0)),
            (MAX, 1, Ok(MAX - 1)),
            (1, 2, Err(Abort::SubUnderflow)),
        ],
    );
}

#[test]
fn comparisons() {
    type Compare = fn(&u64, &u64) -> bool;
    let table: [(Opcode, Compare); 6] = [
        (Opcode::Equiv, u64::eq),
        (Opcode::Ne, u64::ne),
        (Opcode::Gt, u64::gt),
        (Opcode::Ge, u64::ge),
        (Opcode::Lt, u64::lt),
        (Opcode::Le, u64::le),
    ];
    for (opcode, compare) in table {
        for (left, right) in [(1, 2), (2, 1), (2, 2), (0, MAX), (MAX, 0), (MAX, MAX)] {
            let expected = u64::from(compare(&left, &right));
            check(opcode, &[(left, right, Ok(expected))]);
        }
    }
}

#[test]
fn logic_gives_0_or_1() {
    for (left, right) in [(0, 0), (0, 7), (7, 0), (7, 8), (MAX, MAX), (1, 2)] {
        let and = u64::from(left != 0 && right != 0);
        let or = u64::from(left != 0 || right != 0);
        check(Opcode::And, &[(left, right, Ok(and))]);
        check(Opcode::Or, &[(left, right, Ok(or))]);
        check(Opcode::Not, &[(left, right, Ok(u64::from(right == 0)))]);
    }
}

#[test]
fn max_and_min() {
    check(Opcode::Max, &[(3, 4, Ok(4)), (MAX, 0, Ok(MAX))]);
    check(Opcode::Min, &[(3, 4, Ok(3)), (MAX, 0, Ok(0))]);
}

#[test]
fn maxwrap() {
    check(
        Opcode::MaxWrap,
        &[
            // P-13.
            (0xffff_fff0, 5, Ok(5)),
            (5, 0xffff_fff0, Ok(5)),
            (9, 5, Ok(9)),
            (0, 5, Ok(5)),
            (5, 0, Ok(5)),
            (0, MAX, Ok(MAX)),
            (1 << 32 | 7, 1 << 33 | 3, Ok(7)),
            // As far one way as the other: the right one.
            (1, 0x8000_0001, Ok(0x8000_0001)),
            (0x8000_0001, 1, Ok(1)),
        ],
    );
}

#[test]
fn conditional_moves() {
    assert_eq!(run(Opcode::If, 5, 1, 9), Ok(9));
    assert_eq!(run(Opcode::If, 5, MAX, 9), Ok(9));
    assert_eq!(run(Opcode::If, 5, 0, 9), Ok(5));
    assert_eq!(run(Opcode::NotIf, 5, 1, 9), Ok(5));
    assert_eq!(run(Opcode::NotIf, 5, 0, 9), Ok(9));
}

#[test]
fn ewma() {
    // P-11 and P-12.
    assert_eq!(run(Opcode::Ewma, 100, 2, 200), Ok(180));
    assert_eq!(run(Opcode::Ewma, 100, 12, 200), Ok(80));
    assert_eq!(run(Opcode::Ewma, 0, 2, 200), Ok(200));
    assert_eq!(run(Opcode::Ewma, 19, 3, 18), Ok(18));
    assert_eq!(run(Opcode::Ewma, MAX, 10, 3), Ok(MAX));
    assert_eq!(run(Opcode::Ewma, 3, 0, MAX), Ok(MAX));
    assert_eq!(run(Opcode::Ewma, MAX, 5, MAX), Ok(MAX));
    assert_eq!(run(Opcode::Ewma, 100, 12, 700), Err(Abort::SubUnderflow));
    assert_eq!(run(Opcode::Ewma, MAX, 12, 7), Err(Abort::MulOverflow));
    assert_eq!(run(Opcode::Ewma, 1, 12, MAX), Err(Abort::MulOverflow));
}

#[test]
fn saturating() {
    check(
        Opcode::AddSat,
        &[(3, 4, Ok(7)), (MAX, 1, Ok(MAX)), (MAX, MAX, Ok(MAX))],
    );
    check(Opcode::SubSat, &[(7, 4, Ok(3)), (4, 7, Ok(0))]);
    check(
        Opcode::MulSat,
        &[(6, 7, Ok(42)), (1 << 32, 1 << 32, Ok(MAX)), (MAX, 0, Ok(0))],
    );
}

#[test]
fn wide_constants() {
    let body = [
        op(Opcode::Const, r(0), imm(1), imm(2)),
        op(Opcode::Const, r(1), imm(u32::MAX), imm(u32::MAX)),
    ];
    let defs = [
        def(r(0), 0),
        def(r(1), 0),
        op(Opcode::Def64, r(2), imm(3), imm(4)),
    ];
    let mut machine = Source::new(&defs).when(&always(), &body).load();
    machine.run(&input(0));
    assert_eq!(machine.report(), [2 << 32 | 1, MAX, 4 << 32 | 3]);
}

#[test]
fn def_values() {
    // P-10: two spellings of infinity, both 2^32-1.
    let defs = [
        def(r(0), 0xffff_ffff),
        def(vr(1), 0x3fff_ffff),
        def(r(2), 0x3fff_fffe),
    ];
    let body = [bind(l(0), imm(0x3fff_ffff))];
    let mut machine = Source::new(&defs).when(&always(), &body).load();
    machine.run(&input(0));
    assert_eq!(machine.report(), [0xffff_ffff, 0xffff_ffff, 0x3fff_fffe]);
    assert_eq!(machine.locals()[0], 0x3fff_ffff);
}

#[test]
fn skip() {
    for (condition, expected) in [(0, [0, 3]), (1, [2, 3]), (MAX, [2, 3])] {
        let body = [
            op(Opcode::SkipZ, FLAG, l(0), imm(2)),
            bind(r(0), imm(1)),
            bind(r(0), imm(2)),
            bind(r(1), imm(3)),
        ];
        let mut machine = Source::new(&[]).when(&always(), &body).load();
        machine.file[6] = condition;
        machine.run(&input(0));
        assert_eq!(machine.report(), expected);
    }
}

#[test]
fn if_and_else_of_skips() {
    for (value, expected) in [(5, [1, 0, 9]), (50, [0, 2, 9])] {
        let body = [
            op(Opcode::Lt, t(0), l(0), imm(10)),
            op(Opcode::SkipZ, FLAG, t(0), imm(3)),
            op(Opcode::Add, t(1), imm(0), imm(1)),
            bind(r(0), t(1)),
            op(Opcode::SkipZ, FLAG, imm(0), imm(2)),
            op(Opcode::Add, t(1), imm(1), imm(1)),
            bind(r(1), t(1)),
            // Written on both ways here.
            op(Opcode::Max, r(2), t(1), imm(9)),
        ];
        let mut machine = Source::new(&[]).when(&always(), &body).load();
        machine.file[6] = value;
        machine.run(&input(0));
        assert_eq!(machine.report(), expected);
    }
}

/// Every class as an operand, at its first and last index, and every class
/// that can be a result.
#[test]
fn every_class() {
    for class in Class::ALL {
        let last = match class {
            Class::Immediate => 77,
            _ => class.max_index(),
        };
        for index in [0, last] {
            let reg = Reg::new(class, index);
            let mut sample = input(0);
            sample.primitives[0] = 40;
            let writable = !matches!(class, Class::Immediate | Class::Primitive);
            let mut body = Vec::new();
            if writable {
                body.push(op(Opcode::Add, reg, imm(40), imm(index)));
            }
            // A register that is none of the others and shows the value.
            let show = if class == Class::Local { c(3) } else { l(3) };
            body.push(op(Opcode::Add, show, reg, imm(1)));
            body.push(bind(RATE, show));
            let mut machine = Source::new(&[]).when(&always(), &body).load();
            let expected = match class {
                Class::Immediate => u64::from(index) + 1,
                // Reserved.
                Class::Primitive if index == 31 => 1,
                _ => 41 + u64::from(index),
            };
            let outcome = machine.run(&sample);
            assert_eq!(outcome.rate, expected, "{} {index}", class.name());
        }
    }
}

#[test]
fn table_is_sound() {
    for opcode in Opcode::ALL {
        assert_eq!(Opcode::from_code(*opcode as u8), Some(*opcode));
    }
    let codes: Vec<u8> = (0..=255)
        .filter(|code| Opcode::from_code(*code).is_some())
        .collect();
    let expected: Vec<u8> = (0..15).chain(32..44).collect();
    assert_eq!(codes, expected);
    for class in Class::ALL {
        assert_eq!(Class::from_code(class as u8), Some(class));
    }
    assert_eq!(Class::from_code(9), None);
}
