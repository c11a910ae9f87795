// SPDX-License-Identifier: GPL-2.0
//! Congestion control in userspace: write an [`Algorithm`], give it to
//! [`run`], and every TCP flow under `ccp` is its to steer.
//!
//! An algorithm is made of *datapath programs*, which the kernel runs on each
//! ACK, and of a [`Flow`] per connection, which gets the programs' reports and
//! answers with new programs or new register values. This one doubles the
//! window each round trip until something is lost, and then starts over:
//!
//! ```
//! use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Program, Report, Result};
//!
//! const PROGRAM: &str = "
//! (def (Report (volatile acked 0) (volatile lost 0)))
//! (when true
//!     (:= Report.acked (+ Report.acked Ack.bytes_acked))
//!     (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
//!     (fallthrough))
//! (when (|| (> Micros Flow.srtt_us) (> Report.lost 0))
//!     (:= Micros 0)
//!     (report))
//! ";
//!
//! struct Bold;
//!
//! impl Algorithm for Bold {
//!     fn name(&self) -> &str {
//!         "bold"
//!     }
//!     fn programs(&self) -> Vec<Program> {
//!         vec![Program::new("bold", PROGRAM)]
//!     }
//!     fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
//!         dp.set_program("bold", &[])?;
//!         Ok(Box::new(BoldFlow { start: info.init_cwnd.into() }))
//!     }
//! }
//!
//! struct BoldFlow {
//!     start: u64,
//! }
//!
//! impl Flow for BoldFlow {
//!     fn on_report(&mut self, dp: &mut dyn Datapath, r: &Report) -> Result<()> {
//!         let next = if r.get("lost")? > 0 { self.start } else { r.cwnd() + r.get("acked")? };
//!         dp.update(&[("Cwnd", next)])
//!     }
//! }
//! # let mut sim = ccp_agent::sim::Sim::new(ccp_agent::sim::Path::default());
//! # sim.add_flow(&Bold).unwrap();
//! # sim.run_for(std::time::Duration::from_secs(1));
//! ```
//!
//! `ccp_agent::run(&[Box::new(Bold)], Options::default())` puts it to work.
//! [`sim`] runs it on a virtual path, on any system, in milliseconds.

#![forbid(unsafe_code)]

mod algorithm;
mod error;
mod library;
pub mod mock;
mod notice;
mod report;
mod runtime;
pub mod sim;

pub use algorithm::{Algorithm, Datapath, Flow, Program};
pub use ccp_netlink::{FallbackReason, FlowInfo};
pub use error::{Error, Result};
pub use library::{check, Checked};
pub use notice::Notice;
pub use report::Report;
pub use runtime::{run, run_with, Options, Summary};
