// SPDX-License-Identifier: GPL-2.0
//! A connection, as a dump tells it.

use crate::Subflow;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

/// How far a connection is.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The handshake is not over.
    Created,
    /// Subflows can be added.
    #[default]
    Established,
    /// It is plain TCP.
    FallenBack,
}

/// An address of ours that a connection knows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LocalAddress {
    /// Its number.
    pub id: u8,
    /// The address.
    pub address: IpAddr,
    /// Announced port; 0 is none.
    pub port: u16,
    /// The peer was told of it.
    pub announced: bool,
    /// Subflows from it are backups.
    pub backup: bool,
    /// Its interface; 0 is none.
    pub ifindex: i32,
}

/// One connection.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Connection {
    /// Its name, unique in the network namespace.
    #[serde(serialize_with = "crate::event::hex")]
    pub token: u32,
    /// How far it is.
    pub phase: Phase,
    /// We accepted it; `None` when the kernel does not say.
    pub server_side: Option<bool>,
    /// The peer asked not to connect to the address of its first subflow.
    pub deny_join_id0: bool,
    /// Addresses of ours.
    pub locals: Vec<LocalAddress>,
    /// Addresses that the peer announced, by their number; port 0 is none.
    pub remotes: BTreeMap<u8, SocketAddr>,
    /// The subflows that exist, the first one first.
    pub subflows: Vec<Subflow>,
    /// Such as wait for the answer to their SYN.
    pub pending: Vec<Subflow>,
}
