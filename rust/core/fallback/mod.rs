// SPDX-License-Identifier: GPL-2.0

//! The fallback program: what a flow runs without an agent.
//!
//! `reno.ccp` is its source, and these are the instructions it compiles to.

use crate::vm::isa::{
    implicit,
    primitive,
    Class,
    Event,
    Instruction,
    Opcode::{
        self,
        *, //
    },
    Reg,
    EVENT_BYTES,
    INSTRUCTION_BYTES, //
};

const PHASE: Reg = Reg::new(Class::NonvolatileControl, 0);
const CREDIT: Reg = Reg::new(Class::NonvolatileControl, 1);
const GAIN: Reg = Reg::new(Class::NonvolatileControl, 2);

const FLAG: Reg = implicit(implicit::EVENT_FLAG);
const CONTINUE: Reg = implicit(implicit::SHOULD_CONTINUE);
const MICROS: Reg = implicit(implicit::MICROS);
const CWND: Reg = implicit(implicit::CWND);
const RATE: Reg = implicit(implicit::RATE);

const ECN_PACKETS: Reg = prim(primitive::ACK_ECN_PACKETS);
const PACKETS_ACKED: Reg = prim(primitive::ACK_PACKETS_ACKED);
const BYTES_IN_FLIGHT: Reg = prim(primitive::FLOW_BYTES_IN_FLIGHT);
const WAS_TIMEOUT: Reg = prim(primitive::FLOW_WAS_TIMEOUT);
const SRTT_US: Reg = prim(primitive::FLOW_SRTT_US);
const MSS: Reg = prim(primitive::FLOW_MSS);
const SSTHRESH: Reg = prim(primitive::FLOW_SSTHRESH);
const IN_RECOVERY: Reg = prim(primitive::FLOW_IN_RECOVERY);
const CWND_LIMITED: Reg = prim(primitive::FLOW_CWND_LIMITED);

const T0: Reg = Reg::new(Class::Tmp, 0);
const T1: Reg = Reg::new(Class::Tmp, 1);
const T2: Reg = Reg::new(Class::Tmp, 2);
const T3: Reg = Reg::new(Class::Tmp, 3);

const CODE: [Instruction; 51] = [
    op(Def, CREDIT, CREDIT, imm(0)),
    op(Def, GAIN, GAIN, imm(0)),
    op(Def, PHASE, PHASE, imm(0)),
    // always
    op(Bind, FLAG, FLAG, imm(1)),
    op(NotIf, PHASE, IN_RECOVERY, imm(0)),
    op(Bind, GAIN, GAIN, imm(1_200_000)),
    op(Bind, CONTINUE, CONTINUE, imm(1)),
    // timeout
    op(Bind, FLAG, FLAG, WAS_TIMEOUT),
    op(Bind, PHASE, PHASE, imm(1)),
    op(Bind, CREDIT, CREDIT, imm(0)),
    // in fast recovery
    op(Equiv, T0, PHASE, imm(2)),
    op(And, FLAG, IN_RECOVERY, T0),
    op(Bind, CWND, CWND, SSTHRESH),
    // recovery begins
    op(Equiv, T0, PHASE, imm(0)),
    op(And, FLAG, IN_RECOVERY, T0),
    op(Add, T0, BYTES_IN_FLIGHT, MSS),
    op(Max, CWND, SSTHRESH, T0),
    op(Bind, PHASE, PHASE, imm(2)),
    op(Bind, CREDIT, CREDIT, imm(0)),
    // marked
    op(Ne, T0, ECN_PACKETS, imm(0)),
    op(Gt, T1, MICROS, SRTT_US),
    op(And, T2, T0, T1),
    op(Equiv, T3, PHASE, imm(0)),
    op(And, FLAG, T2, T3),
    op(Min, CWND, CWND, SSTHRESH),
    op(Bind, CREDIT, CREDIT, imm(0)),
    op(Bind, MICROS, MICROS, imm(0)),
    // congestion avoidance
    op(Lt, T0, PHASE, imm(2)),
    op(And, T1, CWND_LIMITED, T0),
    op(Ge, T2, CWND, SSTHRESH),
    op(And, FLAG, T1, T2),
    op(Mul, T0, PACKETS_ACKED, MSS),
    op(Add, CREDIT, CREDIT, T0),
    // slow start
    op(Lt, T0, PHASE, imm(2)),
    op(And, T1, CWND_LIMITED, T0),
    op(Lt, T2, CWND, SSTHRESH),
    op(And, FLAG, T1, T2),
    op(Mul, T0, PACKETS_ACKED, MSS),
    op(Add, T1, CWND, T0),
    op(Min, CWND, T1, SSTHRESH),
    // a whole window acknowledged
    op(Ge, FLAG, CREDIT, CWND),
    op(Sub, CREDIT, CREDIT, CWND),
    op(Add, CWND, CWND, MSS),
    // first half of slow start
    op(Add, T0, CWND, CWND),
    op(Gt, FLAG, SSTHRESH, T0),
    op(Bind, GAIN, GAIN, imm(2_000_000)),
    // pacing
    op(Bind, FLAG, FLAG, imm(1)),
    op(Max, T0, CWND, BYTES_IN_FLIGHT),
    op(Mul, T1, T0, GAIN),
    op(Max, T2, SRTT_US, imm(1)),
    op(Div, RATE, T1, T2),
];

/// Leading definitions.
const DEFS: u32 = 3;

/// Instructions of the condition and of the body of each event.
const SHAPE: [(u32, u32); 10] = [
    (1, 3),
    (1, 2),
    (2, 1),
    (2, 4),
    (5, 3),
    (4, 2),
    (4, 3),
    (1, 2),
    (2, 1),
    (1, 4),
];

/// Events of the fallback program, in wire form.
pub const EVENTS: &[u8] = &{
    let mut bytes = [0; SHAPE.len() * EVENT_BYTES];
    let mut next = DEFS;
    let mut at = 0;
    while at < bytes.len() {
        let (cond_count, body_count) = SHAPE[at / EVENT_BYTES];
        let event = Event {
            cond_start: next,
            cond_count,
            body_start: next + cond_count,
            body_count,
        };
        bytes[at] = event.to_bytes()[at % EVENT_BYTES];
        at += 1;
        if at % EVENT_BYTES == 0 {
            next += cond_count + body_count;
        }
    }
    bytes
};

/// Instructions of the fallback program, in wire form.
pub const INSTRUCTIONS: &[u8] = &{
    let mut bytes = [0; CODE.len() * INSTRUCTION_BYTES];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = CODE[at / INSTRUCTION_BYTES].to_bytes()[at % INSTRUCTION_BYTES];
        at += 1;
    }
    bytes
};

const fn implicit(index: u32) -> Reg {
    Reg::new(Class::Implicit, index)
}

const fn prim(index: usize) -> Reg {
    Reg::new(Class::Primitive, index as u32)
}

const fn imm(value: u32) -> Reg {
    Reg::new(Class::Immediate, value)
}

const fn op(opcode: Opcode, result: Reg, left: Reg, right: Reg) -> Instruction {
    Instruction {
        opcode,
        result,
        left,
        right,
    }
}
