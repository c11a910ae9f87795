// SPDX-License-Identifier: GPL-2.0
//! The virtual machine and libccp behind one interface.
//!
//! [`Libccp`] is the C library of the crates.io `libccp` crate, [`Ours`] is
//! `ccp-core`; both take what [`Portus`] or `ccp-lang` compiled. Both are a datapath with one flow, in virtual time: a test hands
//! them programs, updates and ACKs, and looks at the [`Effects`].

mod datapath;
mod ffi;
mod libccp;
mod ours;
mod portus;

pub use ccp_core::vm::Input as AckSample;

pub use self::{
    datapath::{Code, Datapath, Effects, Refusal, Update, MAX_FIELDS},
    libccp::Libccp,
    ours::Ours,
    portus::Portus,
};
