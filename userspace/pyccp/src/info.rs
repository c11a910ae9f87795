// SPDX-License-Identifier: GPL-2.0
//! `DatapathInfo`, what is known of a flow when it is taken on.

use ccp_agent::FlowInfo;
use pyo3::prelude::*;
use std::net::{IpAddr, SocketAddr};

/// A flow when it was taken on.
#[pyclass(frozen, get_all, module = "pyccp")]
pub(crate) struct DatapathInfo {
    /// Unique id of the flow.
    sock_id: u64,
    /// Window at its start, bytes.
    init_cwnd: u32,
    /// Maximum segment size, bytes.
    mss: u32,
    /// Addresses as numbers: `ipaddress.ip_address` takes them.
    src_ip: u128,
    src_port: u16,
    dst_ip: u128,
    dst_port: u16,
    /// Both ends for people, as "10.0.0.1:80"; empty when not known.
    src: String,
    dst: String,
    /// The flow was under way when it was taken on.
    adopted: bool,
    /// The congestion control its socket chose.
    algorithm: String,
}

fn address(end: Option<SocketAddr>) -> (u128, u16, String) {
    let ip = match end.map(|end| end.ip()) {
        Some(IpAddr::V4(ip)) => u32::from(ip).into(),
        Some(IpAddr::V6(ip)) => u128::from(ip),
        None => 0,
    };
    let port = end.map_or(0, |end| end.port());
    (ip, port, end.map(|end| end.to_string()).unwrap_or_default())
}

impl DatapathInfo {
    pub(crate) fn new(flow: &FlowInfo) -> Self {
        let (src_ip, src_port, src) = address(flow.local);
        let (dst_ip, dst_port, dst) = address(flow.remote);
        Self {
            sock_id: flow.id,
            init_cwnd: flow.init_cwnd,
            mss: flow.mss,
            src_ip,
            src_port,
            dst_ip,
            dst_port,
            src,
            dst,
            adopted: flow.adopted,
            algorithm: flow.algorithm.clone(),
        }
    }
}

#[pymethods]
impl DatapathInfo {
    fn __repr__(&self) -> String {
        format!(
            "<DatapathInfo of flow {}: mss {}, init_cwnd {}, {} to {}>",
            self.sock_id, self.mss, self.init_cwnd, self.src, self.dst
        )
    }
}
