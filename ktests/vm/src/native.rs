// SPDX-License-Identifier: GPL-2.0
//! Seven datapath programs as one would write them by hand in Rust: what a
//! program would cost if it were compiled into the datapath.
//!
//! They do exactly what the programs do, to the order of the fields of a report
//! and to the overflow that ends an invocation.

mod bbr;
mod copa;
mod gca;
mod simple;

use ccp_core::vm::{isa::primitive, Abort, Outcome};

use crate::AckSample;

pub use self::{
    bbr::{ProbeBw, ProbeRtt, Pulse},
    copa::Copa,
    gca::{PerAck, PerRtt},
    simple::{Const, Nimbus},
};

/// A program written by hand, with the state of a flow.
pub trait Native {
    /// Runs once.
    fn invoke(&mut self, ack: &AckSample) -> Outcome;

    /// The fields of the report, in the order of their declarations.
    fn report(&self) -> impl ExactSizeIterator<Item = u64>;

    /// What follows a report.
    fn reset(&mut self);
}

const NO_RTT: u64 = 0xffff_ffff;

/// The window and the rate stay.
fn unchanged(ack: &AckSample, report: bool) -> Outcome {
    Outcome {
        cwnd: ack.cwnd,
        rate: ack.rate,
        report,
        abort: None,
    }
}

fn aborted(abort: Abort) -> Outcome {
    Outcome {
        abort: Some(abort),
        ..Outcome::default()
    }
}

fn overflow() -> Outcome {
    aborted(Abort::AddOverflow)
}

fn rtt(ack: &AckSample) -> u64 {
    match ack.primitives[primitive::FLOW_RTT_SAMPLE_US] {
        0 => NO_RTT,
        rtt => rtt,
    }
}
