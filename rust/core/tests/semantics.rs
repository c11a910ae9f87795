// SPDX-License-Identifier: GPL-2.0

//! The order of an invocation and what persists. "P-n" are the probes that
//! show what libccp does.

mod common;

use ccp_core::vm::{
    isa::{
        primitive,
        Opcode, //
    },
    Abort,
    Output,
    MIN_FILE, //
};
use common::*;

/// Adds 1 to a register.
fn count(reg: ccp_core::vm::isa::Reg) -> ccp_core::vm::isa::Instruction {
    op(Opcode::Add, reg, reg, imm(1))
}

const GO_ON: ccp_core::vm::isa::Instruction = bind(CONTINUE, imm(1));
const SEND: ccp_core::vm::isa::Instruction = bind(REPORT, imm(1));

#[test]
fn first_true_event_ends_the_invocation() {
    let defs = [def(r(0), 0), def(r(1), 0), def(r(2), 0)];
    let never = [bind(FLAG, imm(0))];
    let mut machine = Source::new(&defs)
        .when(&never, &[count(r(0))])
        .when(&always(), &[count(r(1))])
        .when(&always(), &[count(r(2))])
        .load();
    machine.run(&input(0));
    machine.run(&input(0));
    assert_eq!(machine.report(), [0, 2, 0]);
}

#[test]
fn fallthrough_is_sticky() {
    // P-2.
    let defs = [def(r(0), 0), def(r(1), 0), def(r(2), 0)];
    let mut machine = Source::new(&defs)
        .when(&always(), &[count(r(0)), GO_ON])
        .when(&always(), &[count(r(1))])
        .when(&always(), &[count(r(2)), SEND])
        .load();
    assert!(machine.run(&input(0)).report);
    assert_eq!(machine.report(), [1, 1, 1]);
}

#[test]
fn fallthrough_can_be_taken_back() {
    let mut machine = Source::new(&[])
        .when(&always(), &[GO_ON])
        .when(&always(), &[count(r(0)), bind(CONTINUE, imm(0))])
        .when(&always(), &[count(r(1))])
        .load();
    machine.run(&input(0));
    assert_eq!(machine.report(), [1, 0]);
}

#[test]
fn fallthrough_under_a_condition() {
    let skip = op(Opcode::SkipZ, FLAG, l(0), imm(1));
    let mut machine = Source::new(&[])
        .when(&always(), &[skip, GO_ON])
        .when(&always(), &[count(r(0))])
        .load();
    machine.run(&input(0));
    assert_eq!(machine.report(), [0]);
    machine.file[6] = 1;
    machine.run(&input(0));
    assert_eq!(machine.report(), [1]);
}

#[test]
fn fallthrough_of_an_event_that_may_not_run() {
    let mut machine = Source::new(&[])
        .when(&[op(Opcode::Gt, FLAG, l(0), imm(0))], &[GO_ON])
        .when(&always(), &[count(r(0))])
        .when(&always(), &[count(r(1)), GO_ON])
        .when(&always(), &[count(r(2))])
        .when(&always(), &[count(r(3))])
        .load();
    machine.run(&input(0));
    assert_eq!(machine.report(), [1, 0, 0, 0]);
    machine.file[6] = 1;
    machine.run(&input(0));
    assert_eq!(machine.report(), [2, 1, 1, 1]);
}

#[test]
fn flags_are_clear_at_the_start() {
    let mut machine = Source::new(&[])
        .when(&[op(Opcode::Gt, FLAG, CWND, imm(0))], &[GO_ON, SEND])
        .when(&[op(Opcode::Gt, FLAG, CWND, imm(9))], &[count(r(0))])
        .load();
    let mut sample = input(0);
    assert!(machine.run(&sample).report);
    assert_eq!(machine.report(), [1]);
    sample.cwnd = 0;
    assert!(!machine.run(&sample).report);
    sample.cwnd = 5;
    machine.run(&sample);
    assert_eq!(machine.report(), [1]);
}

#[test]
fn the_event_flag_can_be_read() {
    let mut machine = Source::new(&[])
        .when(
            &[bind(r(0), FLAG), bind(FLAG, imm(7))],
            &[bind(r(1), FLAG), GO_ON],
        )
        .when(&[bind(r(2), FLAG), bind(FLAG, imm(0))], &[])
        .load();
    machine.run(&input(0));
    assert_eq!(machine.report(), [0, 7, 7]);
}

#[test]
fn report_has_the_final_values() {
    let mut machine = Source::new(&[def(r(0), 0)])
        .when(&always(), &[SEND, bind(r(0), imm(1)), GO_ON])
        .when(&always(), &[bind(r(0), imm(2))])
        .load();
    assert!(machine.run(&input(0)).report);
    assert_eq!(machine.report(), [2]);
}

#[test]
fn report_fields_reach_to_the_highest_register() {
    // P-14, and a register without a definition.
    let defs = [
        def(vr(3), 3),
        def(r(0), 1),
        def(vr(1), 2),
        def(r(4), 4),
        def(r(2), 0xffff_ffff),
    ];
    let machine = Source::new(&defs).when(&always(), &[]).load();
    assert_eq!(machine.layout.report_fields, 5);
    assert_eq!(machine.report(), [1, 2, 0xffff_ffff, 3, 4]);
    let machine = Source::new(&[def(r(1), 7)]).when(&always(), &[]).load();
    assert_eq!(machine.report(), [0, 7]);
    let mut machine = Source::new(&[def(r(0), 7)])
        .when(&always(), &[bind(r(2), imm(9))])
        .load();
    machine.run(&input(0));
    assert_eq!(machine.report(), [7, 0, 9]);
    let machine = Source::new(&[]).when(&always(), &[SEND]).load();
    assert_eq!(machine.layout.report_fields, 0);
    assert!(machine.report().is_empty());
}

#[test]
fn volatile_registers_are_reset() {
    let defs = [def(vr(0), 10), def(r(1), 20), def(vc(0), 30), def(c(1), 40)];
    let body = [
        count(vr(0)),
        count(r(1)),
        count(vc(0)),
        count(c(1)),
        bind(r(2), vc(0)),
        bind(r(3), c(1)),
        SEND,
    ];
    let mut machine = Source::new(&defs).when(&always(), &body).load();
    machine.run(&input(0));
    assert_eq!(machine.report(), [11, 21, 31, 41]);
    machine.reset_volatile();
    assert_eq!(machine.report(), [10, 21, 31, 41]);
    machine.run(&input(0));
    assert_eq!(machine.report(), [11, 22, 31, 42]);
    machine.run(&input(0));
    assert_eq!(machine.report(), [12, 23, 32, 43]);
}

#[test]
fn micros() {
    let defs = [def(r(0), 0), def(c(0), 0), def(c(1), 0)];
    let body = [
        bind(r(0), MICROS),
        op(Opcode::SkipZ, FLAG, c(0), imm(1)),
        bind(MICROS, c(1)),
        bind(r(1), MICROS),
    ];
    let source = Source::new(&defs).when(&always(), &body);
    let mut machine = source.load();
    machine
        .switch(&source.event_bytes(), &source.instruction_bytes(), 10_000)
        .unwrap();
    machine.run(&input(10_500));
    assert_eq!(machine.report(), [500, 500]);
    machine.run(&input(11_000));
    assert_eq!(machine.report(), [1000, 1000]);
    // P-3: 5000, and 1000 us later 6000.
    machine.update(0, 0, 1).unwrap();
    machine.update(0, 1, 5000).unwrap();
    machine.run(&input(12_000));
    assert_eq!(machine.report(), [2000, 5000]);
    machine.update(0, 0, 0).unwrap();
    machine.run(&input(13_000));
    assert_eq!(machine.report(), [6000, 6000]);
    // More than the clock shows.
    machine.update(0, 0, 1).unwrap();
    machine.update(0, 1, 1 << 60).unwrap();
    machine.run(&input(14_000));
    machine.update(0, 0, 0).unwrap();
    machine.run(&input(14_007));
    assert_eq!(machine.report()[0], (1 << 60) + 7);
}

#[test]
fn micros_written_before_an_abort_counts() {
    let body = [
        bind(r(0), MICROS),
        bind(MICROS, imm(0)),
        op(Opcode::Div, r(1), imm(1), imm(0)),
    ];
    let mut machine = Source::new(&[]).when(&always(), &body).load();
    machine.run(&input(700));
    machine.run(&input(800));
    assert_eq!(machine.report(), [100, 0]);
}

#[test]
fn cwnd_and_rate_are_preloaded() {
    let mut machine = Source::new(&[])
        .when(&always(), &[bind(r(0), CWND), bind(r(1), RATE)])
        .load();
    let sample = input(0);
    let outcome = machine.run(&sample);
    assert_eq!(machine.report(), [sample.cwnd, sample.rate]);
    assert_eq!((outcome.cwnd, outcome.rate), (sample.cwnd, sample.rate));
}

#[test]
fn an_abort_undoes_the_outputs_only() {
    // P-5.
    for (opcode, left, right, abort) in [
        (Opcode::Div, 1, 0, Abort::DivideByZero),
        (Opcode::Sub, 1, 2, Abort::SubUnderflow),
    ] {
        let body = [
            bind(CWND, imm(1234)),
            bind(RATE, imm(5)),
            SEND,
            bind(r(0), imm(8)),
            bind(l(0), imm(9)),
            op(opcode, r(1), imm(left), imm(right)),
            bind(r(0), imm(10)),
        ];
        let mut machine = Source::new(&[def(r(0), 0)]).when(&always(), &body).load();
        let outcome = machine.run(&input(0));
        assert_eq!(outcome.abort, Some(abort));
        assert_eq!((outcome.cwnd, outcome.rate, outcome.report), (0, 0, false));
        assert_eq!(machine.report(), [8, 0]);
        assert_eq!(machine.locals()[0], 9);
    }
}

#[test]
fn an_abort_in_a_condition_ends_the_invocation() {
    let divide = op(Opcode::Div, FLAG, imm(1), imm(0));
    let mut machine = Source::new(&[])
        .when(&[divide], &[])
        .when(&always(), &[bind(r(0), imm(1))])
        .load();
    assert_eq!(machine.run(&input(0)).abort, Some(Abort::DivideByZero));
    // Also when the condition is a constant in the end.
    let tmp = op(Opcode::Div, t(0), imm(1), l(0));
    for value in [0, 1] {
        let mut machine = Source::new(&[])
            .when(&[tmp, bind(FLAG, imm(value))], &[bind(r(0), imm(1))])
            .load();
        assert_eq!(machine.run(&input(0)).abort, Some(Abort::DivideByZero));
        machine.file[6] = 1;
        assert_eq!(machine.run(&input(0)).abort, None);
        assert_eq!(machine.report(), [u64::from(value)]);
    }
}

#[test]
fn tmp_8_is_a_register() {
    // P-4: libccp drops the write and reads local 0.
    let body = [
        bind(l(0), imm(77)),
        op(Opcode::Add, t(8), imm(5), imm(5)),
        bind(r(0), t(8)),
    ];
    let mut machine = Source::new(&[]).when(&always(), &body).load();
    machine.run(&input(0));
    assert_eq!(machine.report(), [10]);
}

#[test]
fn long_programs_end() {
    // P-18: 256 instructions hang libccp.
    for length in [255, 256, 4095] {
        let mut machine = Source::new(&[])
            .when(&always(), &vec![count(r(0)); length])
            .load();
        machine.run(&input(0));
        assert_eq!(machine.report(), [length as u64]);
        assert_eq!(machine.layout.cost, length as u32 + 1);
    }
}

#[test]
fn no_rtt_sample_reads_infinity() {
    let body = [
        bind(r(0), p(primitive::FLOW_RTT_SAMPLE_US)),
        bind(r(1), p(primitive::FLOW_SRTT_US)),
        bind(r(2), p(primitive::ACK_BYTES_ACKED)),
        bind(r(3), p(31)),
    ];
    let mut machine = Source::new(&[]).when(&always(), &body).load();
    machine.run(&input(0));
    assert_eq!(machine.report(), [0xffff_ffff, 0, 0, 0]);
    let mut sample = input(0);
    sample.primitives[primitive::FLOW_RTT_SAMPLE_US] = 40_000;
    machine.run(&sample);
    assert_eq!(machine.report(), [40_000, 0, 0, 0]);
}

#[test]
fn every_primitive() {
    let mut sample = input(0);
    for (index, value) in sample.primitives.iter_mut().enumerate() {
        *value = 100 + index as u64;
    }
    for half in [0, 16] {
        let body: Vec<_> = (0..16)
            .map(|i| bind(r(i), p(half + 15 - i as usize)))
            .collect();
        let mut machine = Source::new(&[]).when(&always(), &body).load();
        machine.run(&sample);
        let expected: Vec<u64> = (0..16)
            .map(|i| half + 15 - i)
            .map(|index| sample.primitives.get(index).copied().unwrap_or(0))
            .collect();
        assert_eq!(machine.report(), expected);
    }
}

#[test]
fn locals_outlive_the_program() {
    let first = Source::new(&[def(c(0), 5)]).when(
        &always(),
        &[count(l(0)), count(l(7)), count(c(0)), count(r(0))],
    );
    let second = Source::new(&[def(c(0), 6)]).when(
        &always(),
        &[
            bind(r(1), l(0)),
            bind(r(2), l(7)),
            bind(r(3), c(0)),
            bind(r(4), p(3)),
        ],
    );
    let mut machine = first.load();
    machine.run(&input(0));
    machine.run(&input(0));
    machine
        .switch(&second.event_bytes(), &second.instruction_bytes(), 0)
        .unwrap();
    assert_eq!(machine.report(), [0; 5]);
    machine.run(&input(0));
    assert_eq!(machine.report(), [0, 2, 2, 6, 0]);
}

#[test]
fn updates_apply() {
    let mut machine = Source::new(&[def(c(0), 1), def(vc(1), 2)])
        .when(&always(), &[bind(r(0), c(0)), bind(r(1), vc(1))])
        .load();
    // Either class of control register does, and all 64 bits count.
    assert_eq!(machine.update(8, 0, u64::MAX), Ok(None));
    assert_eq!(machine.update(0, 1, 1 << 40), Ok(None));
    machine.run(&input(0));
    assert_eq!(machine.report(), [u64::MAX, 1 << 40]);
    machine.reset_volatile();
    machine.run(&input(0));
    assert_eq!(machine.report(), [u64::MAX, 2]);
    assert_eq!(machine.update(2, 4, 9), Ok(Some(Output::Cwnd)));
    assert_eq!(machine.update(2, 5, 9), Ok(Some(Output::Rate)));
    let outcome = machine.run(&input(0));
    assert_eq!((outcome.cwnd, outcome.rate), (14480, 1_000_000));
}

#[test]
fn file_sizes() {
    let with = |last: u32| {
        let body: Vec<_> = (0..last).map(|v| bind(c(0), imm(v))).collect();
        Source::new(&[]).when(&always(), &body).load().layout
    };
    // 40 slots of every program, one control register, the constants.
    assert_eq!(with(23).registers, MIN_FILE);
    assert_eq!(with(24).registers, 128);
    assert_eq!(with(87).registers, 128);
    assert_eq!(with(88).registers, 256);
}

#[test]
fn a_file_too_small_is_left_alone() {
    let machine = Source::new(&[])
        .when(&always(), &[bind(CWND, imm(9))])
        .load();
    let program = ccp_core::vm::Program::new(&machine.header, &machine.ops);
    let mut state = machine.state;
    let mut file = [3; 63];
    state.install(program, &mut file, 0);
    state.reset_volatile(program, &mut file);
    let before = file;
    let outcome = state.invoke(program, &mut file, &input(0));
    assert_eq!(outcome, Default::default());
    // Measured, but not run.
    assert_eq!(file[..14], [3; 14]);
    assert_eq!(file[40..], before[40..]);
    assert_eq!(state.report(program, &[]).count(), 0);
}

#[test]
fn cost() {
    let two = [op(Opcode::Gt, t(0), l(0), imm(1)), bind(FLAG, t(0))];
    let exclusive = Source::new(&[def(r(0), 0)])
        .when(&two, &[count(r(0)); 3])
        .when(&always(), &[count(r(0)); 5]);
    assert_eq!(exclusive.load().layout.cost, 2 + 1 + 5);
    let all = Source::new(&[def(r(0), 0)])
        .when(&two, &[count(r(0)), count(r(0)), GO_ON])
        .when(&always(), &[count(r(0)); 5]);
    assert_eq!(all.load().layout.cost, 2 + 3 + 1 + 5);
}

/// What the decoder merges or leaves out must not show.
mod merging {
    use super::*;
    use ccp_core::vm::isa::Instruction;

    /// Runs a condition with locals 0..4 as given; whether it holds.
    fn holds(condition: &[Instruction], locals: [u64; 4]) -> bool {
        let mut machine = Source::new(&[])
            .when(condition, &[bind(r(0), imm(1))])
            .load();
        machine.file[6..10].copy_from_slice(&locals);
        machine.run(&input(0));
        machine.report() == [1]
    }

    #[test]
    fn a_comparison_used_twice() {
        let condition = [
            op(Opcode::Gt, t(0), l(0), l(1)),
            op(Opcode::Gt, t(1), t(0), l(2)),
            op(Opcode::Mul, FLAG, t(0), t(1)),
        ];
        assert!(holds(&condition, [2, 1, 0, 0]));
        assert!(!holds(&condition, [2, 1, 1, 0]));
        assert!(!holds(&condition, [1, 1, 0, 0]));
    }

    #[test]
    fn a_skip_into_a_conjunction() {
        let condition = [
            bind(t(0), l(3)),
            op(Opcode::SkipZ, FLAG, l(2), imm(1)),
            op(Opcode::Gt, t(0), l(0), l(1)),
            op(Opcode::Gt, t(1), imm(5), l(1)),
            op(Opcode::And, FLAG, t(0), t(1)),
        ];
        assert!(holds(&condition, [2, 1, 1, 0]));
        assert!(!holds(&condition, [1, 1, 1, 1]));
        assert!(holds(&condition, [1, 1, 0, 1]));
        assert!(!holds(&condition, [2, 1, 0, 0]));
        assert!(!holds(&condition, [9, 7, 1, 1]));
    }

    #[test]
    fn nested_conjunctions() {
        let condition = [
            op(Opcode::Gt, t(0), l(0), imm(1)),
            op(Opcode::Lt, t(1), l(1), imm(5)),
            op(Opcode::And, t(2), t(0), t(1)),
            op(Opcode::Ne, t(3), l(2), imm(7)),
            op(Opcode::Mul, FLAG, t(3), t(2)),
        ];
        assert!(holds(&condition, [2, 4, 0, 0]));
        assert!(!holds(&condition, [1, 4, 0, 0]));
        assert!(!holds(&condition, [2, 5, 0, 0]));
        assert!(!holds(&condition, [2, 4, 7, 0]));
    }

    #[test]
    fn conjunctions_with_registers() {
        let condition = [
            op(Opcode::Lt, t(0), l(0), imm(2)),
            op(Opcode::And, t(1), l(1), t(0)),
            op(Opcode::Or, t(2), l(2), l(3)),
            op(Opcode::And, FLAG, t(1), t(2)),
        ];
        assert!(holds(&condition, [1, 9, 0, 9]));
        assert!(!holds(&condition, [2, 9, 0, 9]));
        assert!(!holds(&condition, [1, 0, 0, 9]));
        assert!(!holds(&condition, [1, 9, 0, 0]));
        // A product of registers may overflow, so all of it is computed.
        let condition = [
            op(Opcode::Lt, t(0), l(0), imm(2)),
            op(Opcode::Mul, t(1), l(1), t(0)),
            op(Opcode::Mul, t(2), l(2), l(2)),
            op(Opcode::Mul, FLAG, t(1), t(2)),
        ];
        assert!(holds(&condition, [1, 9, 3, 0]));
        assert!(!holds(&condition, [1, 9, 0, 0]));
        assert!(!holds(&condition, [2, 9, 3, 0]));
        let mut machine = Source::new(&[]).when(&condition, &[]).load();
        machine.file[8] = u64::MAX;
        assert_eq!(machine.run(&input(0)).abort, Some(Abort::MulOverflow));
    }

    #[test]
    fn logic_of_values() {
        for (opcode, table) in [
            (Opcode::Add, [false, true, true, true]),
            (Opcode::Or, [false, true, true, true]),
            (Opcode::Mul, [false, false, false, true]),
            (Opcode::And, [false, false, false, true]),
        ] {
            for (index, expected) in table.into_iter().enumerate() {
                let locals = [index as u64 & 2, index as u64 & 1, 0, 0];
                let condition = [op(opcode, FLAG, l(0), l(1))];
                assert_eq!(holds(&condition, locals), expected, "{}", opcode.name());
            }
        }
        // They abort as always.
        for (opcode, abort) in [
            (Opcode::Add, Abort::AddOverflow),
            (Opcode::Mul, Abort::MulOverflow),
        ] {
            let mut machine = Source::new(&[])
                .when(&[op(opcode, FLAG, l(0), l(1))], &[])
                .load();
            machine.file[6..8].fill(u64::MAX);
            assert_eq!(machine.run(&input(0)).abort, Some(abort));
        }
    }

    #[test]
    fn a_conditional_move_is_not_a_move() {
        let body = [
            bind(t(0), imm(5)),
            op(Opcode::If, t(0), l(0), imm(6)),
            bind(r(0), t(0)),
            bind(t(1), imm(5)),
            op(Opcode::Ewma, t(1), imm(0), imm(7)),
            bind(r(1), t(1)),
        ];
        let mut machine = Source::new(&[]).when(&always(), &body).load();
        machine.run(&input(0));
        assert_eq!(machine.report(), [5, 7]);
        machine.file[6] = 1;
        machine.run(&input(0));
        assert_eq!(machine.report(), [6, 7]);
    }

    #[test]
    fn moves_keep_their_order() {
        let body = [
            bind(t(0), l(0)),
            bind(r(0), r(1)),
            bind(r(1), t(0)),
            bind(r(2), r(1)),
            bind(r(1), imm(9)),
            bind(r(3), r(1)),
            bind(r(4), r(2)),
        ];
        let mut machine = Source::new(&[def(r(1), 3)]).when(&always(), &body).load();
        machine.file[6] = 8;
        machine.run(&input(0));
        assert_eq!(machine.report(), [3, 9, 8, 9, 8]);
    }

    #[test]
    fn a_skip_between_moves() {
        let body = [
            bind(t(0), imm(1)),
            op(Opcode::SkipZ, FLAG, l(0), imm(1)),
            op(Opcode::Add, t(0), imm(1), imm(1)),
            bind(r(0), t(0)),
        ];
        for (value, expected) in [(0, 1), (1, 2)] {
            let mut machine = Source::new(&[]).when(&always(), &body).load();
            machine.file[6] = value;
            machine.run(&input(0));
            assert_eq!(machine.report(), [expected]);
        }
    }

    #[test]
    fn a_tmp_read_again_is_kept() {
        let body = [
            op(Opcode::Add, t(0), l(0), imm(1)),
            bind(r(0), t(0)),
            bind(r(1), t(0)),
            op(Opcode::Gt, t(1), l(0), imm(3)),
            op(Opcode::SkipZ, FLAG, t(1), imm(1)),
            bind(r(2), imm(4)),
            bind(r(3), t(1)),
        ];
        for (value, expected) in [(2, [3, 3, 0, 0]), (5, [6, 6, 4, 1])] {
            let mut machine = Source::new(&[]).when(&always(), &body).load();
            machine.file[6] = value;
            machine.run(&input(0));
            assert_eq!(machine.report(), expected);
        }
    }

    #[test]
    fn a_tmp_written_again_on_one_path() {
        let body = [
            op(Opcode::Add, t(0), l(0), imm(1)),
            bind(r(0), t(0)),
            op(Opcode::SkipZ, FLAG, l(0), imm(1)),
            bind(t(0), imm(9)),
            bind(r(1), t(0)),
        ];
        for (value, expected) in [(0, [1, 1]), (5, [6, 9])] {
            let mut machine = Source::new(&[]).when(&always(), &body).load();
            machine.file[6] = value;
            machine.run(&input(0));
            assert_eq!(machine.report(), expected);
        }
    }

    #[test]
    fn a_comparison_that_decides_nothing() {
        let condition = [
            op(Opcode::Gt, t(0), l(0), imm(1)),
            op(Opcode::Gt, t(1), l(1), imm(1)),
            op(Opcode::Gt, t(2), l(2), imm(1)),
            op(Opcode::Mul, FLAG, t(0), t(2)),
        ];
        assert!(holds(&condition, [2, 0, 2, 0]));
        assert!(!holds(&condition, [2, 0, 1, 0]));
    }
}
