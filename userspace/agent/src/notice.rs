// SPDX-License-Identifier: GPL-2.0
//! What an agent tells whoever watches it.

use ccp_netlink::{FallbackReason, FlowInfo};
use std::fmt;

/// Something that happened in the agent. Its `Display` is a log line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// The agent is attached; its programs are installed.
    Attached {
        /// Its id.
        id: u32,
        /// Names of the programs, with their worst-case cost in instructions.
        programs: Vec<(String, u32)>,
    },
    /// A program compiles, but the compiler has something to say.
    Warnings(String),
    /// A flow was taken on.
    FlowTaken {
        /// Which.
        flow: FlowInfo,
        /// The algorithm that steers it.
        algorithm: String,
    },
    /// A flow is gone.
    FlowClosed(FlowInfo),
    /// The kernel took a flow's program away.
    FellBack {
        /// Which.
        flow: u64,
        /// Why.
        reason: FallbackReason,
    },
    /// A handler of the algorithm returned an error.
    FlowError {
        /// Which flow.
        flow: u64,
        /// What it said.
        error: String,
    },
    /// A handler of the algorithm panicked; the flow is taken on anew, or left
    /// to the fallback program when that has happened too often.
    FlowPanicked {
        /// Which flow.
        flow: u64,
        /// The panic's message.
        message: String,
    },
    /// Events were lost; the agent asked for a list of flows to catch up.
    Resynced {
        /// Flows it had not known of.
        found: usize,
        /// Flows it had not known to be gone.
        gone: usize,
    },
    /// The agent has detached.
    Detached,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attached { id, programs } => {
                write!(f, "attached as agent {id}")?;
                if !programs.is_empty() {
                    f.write_str("; programs:")?;
                }
                for (name, cost) in programs {
                    write!(f, " {name} ({cost} instructions at most)")?;
                }
                Ok(())
            }
            Self::Warnings(text) => f.write_str(text),
            Self::FlowTaken { flow, algorithm } => {
                let how = if flow.adopted { "adopted" } else { "new" };
                write!(f, "flow {} {how} under {algorithm}", flow.id)?;
                match flow.remote {
                    Some(remote) => write!(f, ", peer {remote}"),
                    None => Ok(()),
                }
            }
            Self::FlowClosed(flow) => write!(
                f,
                "flow {} closed: {} packets delivered, {} lost, {} reports",
                flow.id, flow.delivered, flow.lost, flow.reports
            ),
            Self::FellBack { flow, reason } => write!(f, "flow {flow} fell back: {reason}"),
            Self::FlowError { flow, error } => write!(f, "flow {flow}: {error}"),
            Self::FlowPanicked { flow, message } => {
                write!(f, "flow {flow}: the algorithm panicked: {message}")
            }
            Self::Resynced { found, gone } => write!(
                f,
                "events were lost; caught up by a list: {found} flows found, {gone} gone"
            ),
            Self::Detached => f.write_str("detached"),
        }
    }
}
