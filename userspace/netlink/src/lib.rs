// SPDX-License-Identifier: GPL-2.0
//! A typed, blocking client of the generic netlink family `ccp`.
//!
//! ```no_run
//! use ccp_netlink::Client;
//!
//! let mut client = Client::connect()?;
//! for flow in client.flows()? {
//!     println!("flow {} cwnd {}", flow.id, flow.cwnd);
//! }
//! # Ok::<(), ccp_netlink::Error>(())
//! ```
//!
//! The interface is specified in `docs/netlink/specs/ccp.yaml`. Events that
//! arrive while a command waits for its answer are kept for
//! [`Client::next_event`]. A full receive buffer shows as [`Event::Overrun`]:
//! ask for a list then, to be up to date again.
//!
//! The layers below serve other families too: [`genl::Genl`] is a connection to
//! any generic netlink family, [`Socket`] to any netlink protocol.
//!
//! On other systems than Linux there are the types, for simulations, and a
//! `Client` that never connects.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod client;
#[cfg(target_os = "linux")]
mod control;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod error;
#[cfg(target_os = "linux")]
pub mod genl;
#[cfg(target_os = "linux")]
mod records;
#[cfg(target_os = "linux")]
mod socket;
mod types;
#[cfg(target_os = "linux")]
mod uapi;
#[cfg(target_os = "linux")]
pub mod wire;

#[cfg(target_os = "linux")]
pub use client::Client;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::Client;
pub use error::{Error, Refusal, Result};
#[cfg(target_os = "linux")]
pub use socket::{Decode, Notification, Repeat, Socket};
pub use types::{
    AgentInfo, Attached, Event, Fallback, FallbackReason, FlowInfo, ProgramInfo, RawReport, Stats,
    Update,
};
