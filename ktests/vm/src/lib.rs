// SPDX-License-Identifier: GPL-2.0
//! The virtual machine and libccp behind one interface.
//!
//! [`Libccp`] is the C library of the crates.io `libccp` crate, [`Ours`] is
//! `ccp-core`; both take what [`Portus`] or `ccp-lang` compiled. Both are a datapath with one flow, in virtual time: a test hands
//! them programs, updates and ACKs, and looks at the [`Effects`].

pub mod case;
mod check;
mod datapath;
mod deviation;
pub mod driver;
mod explain;
mod ffi;
pub mod generate;
mod libccp;
pub mod listing;
pub mod model;
pub mod native;
mod ours;
mod portus;
mod shrink;

pub use ccp_core::vm::Input as AckSample;

pub use self::{
    check::{check, check_case},
    datapath::{Code, Datapath, Effects, Refusal, Update, MAX_FIELDS},
    deviation::{Counts, Deviation},
    libccp::Libccp,
    ours::Ours,
    portus::Portus,
    shrink::shrink,
};
