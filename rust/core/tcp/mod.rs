// SPDX-License-Identifier: GPL-2.0

//! The TCP hook without the kernel: what measurements mean, and how a
//! program's answer becomes a window in packets and a pacing rate.

mod ack;
mod pacing;
mod tracker;

pub use self::{
    ack::{
        Ack,
        Decision, //
    },
    tracker::Tracker, //
};
