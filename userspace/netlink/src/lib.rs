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

#![forbid(unsafe_code)]

mod client;
mod control;
mod error;
pub mod genl;
mod socket;
mod types;
mod uapi;
pub mod wire;

pub use client::Client;
pub use error::{Error, Refusal, Result};
pub use socket::{Decode, Notification, Repeat, Socket};
pub use types::{
    AgentInfo, Attached, Event, Fallback, FallbackReason, FlowInfo, ProgramInfo, RawReport, Stats,
    Update,
};
