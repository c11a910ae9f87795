// SPDX-License-Identifier: GPL-2.0
//! MPTCP path management from userspace.
//!
//! [`backend`] speaks to the kernel: a [`backend::PathManager`] over the family
//! `mptcp` of ccp_rs, or over upstream's `mptcp_pm`. [`policy`] decides and does
//! no input or output. [`daemon`] connects the two.

#![forbid(unsafe_code)]

pub mod backend;
mod command;
pub mod config;
mod connection;
pub mod daemon;
mod error;
mod event;
pub mod interfaces;
pub mod policy;
#[cfg(test)]
mod testing;

pub use command::Command;
pub use connection::{Connection, LocalAddress, Phase};
pub use error::{Error, Result};
pub use event::{Event, Kind, Record, Reset, Subflow};
