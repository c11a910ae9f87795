// SPDX-License-Identifier: GPL-2.0
//! The targets of coverage-guided fuzzing, apart from the engine: `run.sh` lets
//! libFuzzer find inputs for them, `tests/corpus.rs` replays those it found.
//!
//! A target takes any bytes, panics when the code under test is wrong, and
//! returns whether the input got past the checks of what it aims at.

pub mod bytes;
pub mod corpus;
pub mod flow;
pub mod grammar;
mod mend;
#[path = "../../../../rust/core/tests/common/naive.rs"]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    reason = "a file of another crate's tests"
)]
mod naive;
pub mod rules;
pub mod stats;
mod tcp;

use ccp_core::vm::{isa::primitive, Input, PRIMITIVES};

use bytes::Bytes;
use flow::{Flow, Program};
use grammar::Wire;

/// A target.
pub type Target = fn(&[u8]) -> bool;

/// All of them, by the name of their corpus.
pub const TARGETS: [(&str, Target); 3] = [("program", program), ("wire", wire), ("acks", acks)];

/// Decoded by the grammar: two programs, and what happens to a flow with them.
pub fn program(data: &[u8]) -> bool {
    let mut bytes = Bytes::with_tail(data);
    let first = grammar::program(&mut bytes);
    let second = match bytes.byte() % 4 {
        0 => grammar::program(&mut bytes),
        _ => Wire::default(),
    };
    let (first, second) = (Program::load(first), Program::load(second));
    let Some(program) = &first else {
        return false;
    };
    let mut flow = Flow::new(program);
    let mut input = numbers(0);
    while !bytes.is_empty() && flow.has_time() {
        match bytes.byte() {
            tag @ 0..128 => {
                flow.wait(bytes.value());
                let outcome = flow.invoke(input, tag % 8 != 0);
                if tag % 2 == 0 && outcome.abort.is_none() {
                    input.cwnd = outcome.cwnd;
                    input.rate = outcome.rate;
                }
            }
            tag @ 128..208 => input.primitives[usize::from(tag) % PRIMITIVES] = bytes.value(),
            208..216 => input.cwnd = bytes.value(),
            216..224 => input.rate = bytes.value(),
            224..232 => input.primitives = numbers(bytes.byte()).primitives,
            tag @ 232..244 => flow.update(tag % 12, bytes.byte().into(), bytes.value()),
            244 => flow.update(bytes.byte(), bytes.word(), bytes.value()),
            tag => match (&first, &second) {
                (_, Some(program)) | (Some(program), _) if tag % 2 == 0 => flow.install(program),
                (Some(program), _) => flow.install(program),
                _ => (),
            },
        }
    }
    finish(flow);
    true
}

/// Raw: a length, so many bytes of events, and instructions.
pub fn wire(data: &[u8]) -> bool {
    let mut bytes = Bytes::new(data);
    let length = usize::from(bytes.short());
    let wire = Wire {
        events: bytes.take(length).to_vec(),
        instructions: bytes.rest().to_vec(),
    };
    let Some(program) = Program::load(wire) else {
        return false;
    };
    finish(Flow::new(&program));
    true
}

/// Facts about a connection, ACK by ACK.
pub fn acks(data: &[u8]) -> bool {
    tcp::acks(&mut Bytes::new(data))
}

/// The last invocations of a flow.
fn finish(mut flow: Flow<'_>) {
    for seed in [0, 1, 128, 255] {
        if flow.has_time() {
            flow.wait(u64::from(seed) * 1000);
            flow.invoke(numbers(seed), true);
        }
    }
}

/// Measurements that differ by register and by `seed`: those of an ordinary
/// ACK for 0, all ones for 255, else small or of any size.
fn numbers(seed: u8) -> Input {
    let mut input = Input {
        primitives: [0; PRIMITIVES],
        now_us: 0,
        cwnd: 14_480,
        rate: 1_000_000,
    };
    if seed == 0 {
        input.primitives[primitive::ACK_BYTES_ACKED] = 2896;
        input.primitives[primitive::ACK_PACKETS_ACKED] = 2;
        input.primitives[primitive::FLOW_RTT_SAMPLE_US] = 20_000;
        input.primitives[primitive::FLOW_SRTT_US] = 21_000;
        input.primitives[primitive::FLOW_MSS] = 1448;
        input.primitives[primitive::FLOW_RATE_INCOMING] = 1_250_000;
        input.primitives[primitive::FLOW_RATE_OUTGOING] = 1_300_000;
        return input;
    }
    for (index, primitive) in (0u64..).zip(&mut input.primitives) {
        let mixed = ((u64::from(seed) << 8) | index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        *primitive = match seed {
            255 => u64::MAX,
            1..128 => mixed >> (44 + mixed % 20),
            _ => mixed >> (mixed % 64),
        };
    }
    input
}
