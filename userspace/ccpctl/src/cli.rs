// SPDX-License-Identifier: GPL-2.0
//! The command line.

mod dccp;
mod mptcp;
mod program;

pub(crate) use dccp::{CalcArgs, DccpAction, DccpMonitorArgs};
pub(crate) use mptcp::{
    AddressAction, DaemonArgs, MonitorArgs as MptcpMonitorArgs, MptcpAction, MptcpArgs,
    PathManager as PathManagerName, Policy, PriorityArgs, Role, SubflowAction, SubflowAddArgs,
    SubflowArgs,
};
pub(crate) use program::{
    AsmArgs, CheckArgs, DisasmArgs, ProgramAction, ProgramFile, RecordArgs,
    RunArgs as ProgramRunArgs, TraceArgs,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::IpAddr, path::PathBuf};

/// Congestion control by userspace programs: run algorithms, see flows.
#[derive(Parser)]
#[command(name = "ccpctl", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Write JSON.
    #[arg(short, long, global = true)]
    json: bool,
    /// Write all there is to say.
    #[arg(short, long, global = true)]
    details: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How to write results.
#[derive(Copy, Clone, Default)]
pub(crate) struct Form {
    pub(crate) json: bool,
    pub(crate) details: bool,
}

impl Cli {
    pub(crate) fn form(&self) -> Form {
        Form {
            json: self.json,
            details: self.details,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Steer the flows of this network namespace by an algorithm, until Ctrl-C
    Run(RunArgs),
    /// List the algorithms that `run` knows, with their parameters
    Algorithms,
    /// Show flows
    #[command(alias = "flow")]
    Flows {
        #[command(subcommand)]
        action: Option<FlowsAction>,
    },
    /// Show installed programs, or choose the fallback program
    Programs {
        #[command(subcommand)]
        action: Option<ProgramsAction>,
    },
    /// Show agents
    #[command(alias = "agent")]
    Agents {
        #[command(subcommand)]
        action: Option<ShowAction>,
    },
    /// Show the module's counters
    Stats {
        #[command(subcommand)]
        action: Option<ShowAction>,
    },
    /// Print events as they happen, or a live table of flows
    Monitor(MonitorArgs),
    /// Watch flows in the whole terminal
    Top(TopArgs),
    /// Write samples of all flows and their events as CSV, for `plot`
    Record(FlowRecordArgs),
    /// Draw a recorded trace
    Plot(PlotArgs),
    /// Begin an algorithm of your own: a project with a test
    New(NewArgs),
    /// Check and try out a datapath program, and see its instructions
    Program {
        #[command(subcommand)]
        action: ProgramAction,
    },
    /// Serve Portus clients that use unix sockets (--ipc unix), until Ctrl-C
    Portus(PortusArgs),
    /// Manage the paths of MPTCP connections, and see them
    Mptcp(MptcpArgs),
    /// See what CCID 5 of DCCP does, and evaluate its equation
    Dccp {
        #[command(subcommand)]
        action: DccpAction,
    },
    /// Make bulk TCP traffic and measure it
    Traffic {
        #[command(subcommand)]
        action: TrafficAction,
    },
}

#[derive(Args)]
pub(crate) struct PortusArgs {
    /// Name of the client's socket below /tmp/ccp
    #[arg(long, value_name = "NAME", default_value = "portus")]
    pub(crate) client: String,
    /// Say nothing of clients that come and go
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Subcommand)]
pub(crate) enum ShowAction {
    /// List them (the default)
    #[command(alias = "list")]
    Show,
}

#[derive(Subcommand)]
pub(crate) enum FlowsAction {
    /// List flows, or show one (the default)
    #[command(alias = "list")]
    Show {
        /// Id of the flow
        id: Option<u64>,
    },
}

#[derive(Subcommand)]
pub(crate) enum ProgramsAction {
    /// List programs, or show one (the default)
    #[command(alias = "list")]
    Show {
        /// Id of the program
        id: Option<u32>,
    },
    /// Make a program the fallback of this network namespace
    Fallback {
        /// Id of the program; without it, the built-in one
        id: Option<u32>,
    },
}

#[derive(Args)]
pub(crate) struct RunArgs {
    /// Name of the algorithm; `ccpctl algorithms` lists them
    pub(crate) algorithm: String,
    /// Parameters of the algorithm, as NAME=VALUE
    pub(crate) parameters: Vec<String>,
    /// Name of the agent [default: the algorithm's]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Say nothing about single flows
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

#[derive(Args)]
pub(crate) struct MonitorArgs {
    /// Leave reports out
    #[arg(long)]
    pub(crate) no_reports: bool,
    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<f64>,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

#[derive(Args, Clone)]
pub(crate) struct WatchArgs {
    /// Print a table of flows every second
    #[arg(long)]
    pub(crate) live: bool,
    /// Write samples of all flows and their events as CSV, for `ccpctl plot`
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Time between two recorded samples, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    pub(crate) interval: u64,
}

#[derive(Args)]
pub(crate) struct TopArgs {
    /// Time between two looks, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(50..=3_600_000))]
    pub(crate) interval: u64,
}

#[derive(Args)]
pub(crate) struct FlowRecordArgs {
    /// The CSV to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Stop after this many seconds [default: at Ctrl-C]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<f64>,
    /// Time between two samples, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    pub(crate) interval: u64,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("language").required(true))]
pub(crate) struct NewArgs {
    /// Name of the algorithm: a small letter, then small letters, digits and `_`; 11 in all at most
    pub(crate) name: String,
    /// In Rust
    #[arg(long, group = "language")]
    pub(crate) rust: bool,
    /// In Python
    #[arg(long, group = "language")]
    pub(crate) python: bool,
    /// Directory to make [default: the name]
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// A checkout of ccp_rs, which the project depends on [default: the one around this directory or this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) checkout: Option<PathBuf>,
}

#[derive(Copy, Clone, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum PanelName {
    /// Congestion window and slow start threshold
    Window,
    /// Smoothed and minimum RTT
    Rtt,
    /// Goodput and pacing rate
    Rate,
    /// Packets of the flow in queues, and in flight
    Queue,
    /// Packets delivered and lost
    Delivered,
}

#[derive(Args)]
pub(crate) struct PlotArgs {
    /// What `--record` wrote
    pub(crate) trace: PathBuf,
    /// The SVG to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Only these panels [default: all]
    #[arg(long, value_name = "PANEL,...", value_delimiter = ',')]
    pub(crate) panels: Vec<PanelName>,
    /// Only this flow; may be given several times
    #[arg(long = "flow", value_name = "ID")]
    pub(crate) flows: Vec<u64>,
    /// A line above the picture
    #[arg(long)]
    pub(crate) title: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum TrafficAction {
    /// Receive until the senders have closed
    Recv(RecvArgs),
    /// Send as fast as the connection allows, and measure
    Send(SendArgs),
}

#[derive(Args)]
pub(crate) struct RecvArgs {
    /// Address to listen on
    #[arg(long, default_value = "::")]
    pub(crate) address: IpAddr,
    /// Port to listen on
    #[arg(short, long, default_value_t = 5201)]
    pub(crate) port: u16,
    /// Connections to serve before exit; 0 serves for ever
    #[arg(short, long, default_value_t = 1)]
    pub(crate) count: u64,
    /// Take MPTCP connections, too
    #[arg(long)]
    pub(crate) mptcp: bool,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("length").required(true))]
pub(crate) struct SendArgs {
    /// Address of the receiver
    pub(crate) address: IpAddr,
    /// Port of the receiver
    #[arg(short, long, default_value_t = 5201)]
    pub(crate) port: u16,
    /// Seconds to send for
    #[arg(short, long, group = "length")]
    pub(crate) seconds: Option<f64>,
    /// Bytes to send
    #[arg(short, long, group = "length")]
    pub(crate) bytes: Option<u64>,
    /// Congestion control of the connection [default: the system's]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) congestion: Option<String>,
    /// An MPTCP connection; what TCP_INFO says is of its first subflow
    #[arg(long)]
    pub(crate) mptcp: bool,
    /// Time between two samples of TCP_INFO, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    pub(crate) interval: u64,
}
