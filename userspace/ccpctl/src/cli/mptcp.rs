// SPDX-License-Identifier: GPL-2.0
//! The command line of `ccpctl mptcp`.

use crate::mptcp::{interface, token, Place};
use clap::{Args, Subcommand, ValueEnum};
use std::{net::IpAddr, path::PathBuf};

#[derive(Args)]
pub(crate) struct MptcpArgs {
    /// The kernel's path manager to talk to [default: the one that is selected]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) path_manager: Option<PathManager>,
    #[command(subcommand)]
    pub(crate) action: MptcpAction,
}

/// What the kernel offers.
#[derive(Copy, Clone, ValueEnum)]
pub(crate) enum PathManager {
    /// That of ccp_rs, by generic netlink family mptcp
    Netlink,
    /// Upstream's, by family mptcp_pm
    Userspace,
}

#[derive(Subcommand)]
pub(crate) enum MptcpAction {
    /// Print events as they happen, as `ip mptcp monitor` does
    Monitor(MonitorArgs),
    /// List connections with their subflows, or show one
    Show {
        /// Token of the connection
        #[arg(value_parser = token)]
        token: Option<u32>,
    },
    /// Add or remove a subflow
    Subflow {
        #[command(subcommand)]
        action: SubflowAction,
    },
    /// Announce or withdraw an address of this host
    Address {
        #[command(subcommand)]
        action: AddressAction,
    },
    /// Make a subflow a backup, or an ordinary one
    Priority(PriorityArgs),
    /// Give the connections of this network namespace subflows, until Ctrl-C
    Daemon(DaemonArgs),
}

#[derive(Args)]
pub(crate) struct MonitorArgs {
    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<f64>,
}

#[derive(Subcommand)]
pub(crate) enum SubflowAction {
    /// Open one
    Add(SubflowAddArgs),
    /// Close one
    #[command(alias = "delete")]
    Del(SubflowArgs),
}

#[derive(Args)]
pub(crate) struct SubflowAddArgs {
    /// Token of the connection
    #[arg(value_parser = token)]
    pub(crate) token: u32,
    /// Where it starts: ADDRESS or ADDRESS:PORT
    #[arg(long, value_name = "PLACE")]
    pub(crate) local: Place,
    /// Where it goes [default: where the first subflow goes]
    #[arg(long, value_name = "PLACE")]
    pub(crate) remote: Option<Place>,
    /// Number of the local address [default: the one it has, or a free one]
    #[arg(long, value_name = "ID")]
    pub(crate) local_id: Option<u8>,
    /// Number of the remote address [default: the one it has]
    #[arg(long, value_name = "ID")]
    pub(crate) remote_id: Option<u8>,
    /// For use only when no other works
    #[arg(long)]
    pub(crate) backup: bool,
    /// Interface to bind it to
    #[arg(long, value_name = "NAME", value_parser = interface)]
    pub(crate) dev: Option<i32>,
}

/// Names a subflow.
#[derive(Args)]
pub(crate) struct SubflowArgs {
    /// Token of the connection
    #[arg(value_parser = token)]
    pub(crate) token: u32,
    /// Where it starts; without port if that is clear
    pub(crate) local: Place,
    /// Where it goes; may be left out if that is clear
    pub(crate) remote: Option<Place>,
}

#[derive(Args)]
pub(crate) struct PriorityArgs {
    #[command(flatten)]
    pub(crate) subflow: SubflowArgs,
    /// What it shall be
    #[arg(long, value_name = "ROLE")]
    pub(crate) set: Role,
}

#[derive(Copy, Clone, Eq, PartialEq, ValueEnum)]
pub(crate) enum Role {
    /// For use only when no other works
    Backup,
    /// An ordinary one
    Normal,
}

#[derive(Subcommand)]
pub(crate) enum AddressAction {
    /// Announce one to the peer
    Add {
        /// Token of the connection
        #[arg(value_parser = token)]
        token: u32,
        /// The address
        address: IpAddr,
        /// Its number [default: the one it has, or a free one]
        #[arg(long)]
        id: Option<u8>,
        /// Port to connect to [default: that of the first subflow]
        #[arg(long)]
        port: Option<u16>,
        /// Interface it is on
        #[arg(long, value_name = "NAME", value_parser = interface)]
        dev: Option<i32>,
    },
    /// Take one back, by its address or its number
    #[command(alias = "delete")]
    Del {
        /// Token of the connection
        #[arg(value_parser = token)]
        token: u32,
        /// ADDRESS or number
        address: String,
    },
}

#[derive(Args)]
pub(crate) struct DaemonArgs {
    /// Which subflows connections get [default: fullmesh]
    #[arg(short, long)]
    pub(crate) policy: Option<Policy>,
    /// With ndiffports, which this chooses: so many subflows for each connection
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=250))]
    pub(crate) simulate: Option<u16>,
    /// Read policy, limits and interfaces from a TOML file; options go before it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Most subflows of one connection, the first one included
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=250))]
    pub(crate) subflows: Option<u16>,
    /// Say nothing about single connections
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Copy, Clone, Eq, PartialEq, ValueEnum)]
pub(crate) enum Policy {
    /// One from every local address to every address of the peer
    Fullmesh,
    /// Several between the same addresses; their source ports differ modulo N
    Ndiffports,
    /// As fullmesh, but only the first one is used while it works
    Backup,
    /// Only the first one
    None,
}
