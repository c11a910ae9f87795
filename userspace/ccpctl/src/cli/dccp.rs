// SPDX-License-Identifier: GPL-2.0
//! The command line of `ccpctl dccp`.

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum DccpAction {
    /// Show the half-connections of CCID 5 in this network namespace
    #[command(alias = "list")]
    Show,
    /// Show them again and again
    Monitor(DccpMonitorArgs),
    /// Choose N of a sender that has sent nothing so far
    Set {
        /// The sender, by its ID in `ccpctl dccp show`
        #[arg(value_name = "ID")]
        id: u32,
        /// Flows to take the share of, above 0 and at most 64
        #[arg(value_name = "N", allow_negative_numbers = true)]
        n: f64,
    },
    /// Evaluate the throughput equation of MulTFRC, or its inverse
    Calc(CalcArgs),
}

#[derive(Args)]
pub(crate) struct DccpMonitorArgs {
    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<f64>,
    /// Time between two tables, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    pub(crate) interval: u64,
}

#[derive(Args)]
#[command(
    allow_negative_numbers = true,
    group = clap::ArgGroup::new("given").required(true)
)]
pub(crate) struct CalcArgs {
    /// Payload of a packet, 1 to 65535
    #[arg(long = "s", value_name = "BYTES")]
    pub(crate) size: f64,
    /// Round-trip time, a microsecond to 4294 seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) rtt: f64,
    /// Loss event rate, above 0 and at most 1
    #[arg(long, value_name = "P", group = "given", conflicts_with = "inverse")]
    pub(crate) p: Option<f64>,
    /// Packets lost per loss event, 1 to 65535
    #[arg(long, value_name = "J", default_value_t = 1.0)]
    pub(crate) j: f64,
    /// Flows to take the share of, above 0 and at most 64
    #[arg(long, value_name = "N")]
    pub(crate) n: f64,
    /// Print the loss event rate that gives the rate X
    #[arg(long, requires = "x")]
    pub(crate) inverse: bool,
    /// Rate in bytes per second, for --inverse
    #[arg(long, value_name = "X", group = "given", requires = "inverse")]
    pub(crate) x: Option<f64>,
}
