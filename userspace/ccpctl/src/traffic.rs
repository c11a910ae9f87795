// SPDX-License-Identifier: GPL-2.0
//! Bulk TCP traffic with measurements, for demonstrations and tests.

mod info;
mod recv;
mod send;

use crate::{
    cli::{Form, TrafficAction},
    Failure,
};
use socket2::Protocol;

fn protocol(mptcp: bool) -> Protocol {
    if mptcp {
        Protocol::MPTCP
    } else {
        Protocol::TCP
    }
}

pub(crate) fn run(form: Form, action: &TrafficAction) -> Result<(), Failure> {
    match action {
        TrafficAction::Recv(args) => recv::recv(args),
        TrafficAction::Send(args) => send::send(form, args),
    }
}
