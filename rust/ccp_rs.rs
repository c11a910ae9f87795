// SPDX-License-Identifier: GPL-2.0

//! Congestion control under the control of userspace programs.
//!
//! The C shim (`c-shim/`) hooks into the kernel and calls the functions named
//! `ccp_rs_*` here: `tcp_hook` on every ACK, `netlink` for every request of an agent,
//! `mptcp_hook` when MPTCP connections and their subflows come and go,
//! `portus_hook` for messages of Portus clients,
//! `net` when network namespaces do. What needs no kernel is in
//! `core/`: the virtual machine (`vm`), the meaning of TCP's numbers (`tcp`),
//! the built-in fallback program, ids (`ids`), what MPTCP connections remember (`mptcp`).
//!
//! What locks what is said in `flows`, and for MPTCP in `c-shim/mptcp.h`.

use kernel::prelude::*;

#[path = "core/fallback/mod.rs"]
pub mod fallback;
#[path = "core/ids.rs"]
pub mod ids;
#[cfg(ccp_mptcp)]
#[path = "core/mptcp/mod.rs"]
pub mod mptcp;
#[cfg(ccp_dccp)]
#[path = "core/multfrc/mod.rs"]
pub mod multfrc;
#[path = "core/portus/mod.rs"]
pub mod portus;
#[path = "core/tcp/mod.rs"]
pub mod tcp;
#[path = "core/vm/mod.rs"]
pub mod vm;

mod agents;
mod commands;
#[cfg(ccp_dccp)]
mod dccp_hook;
mod events;
mod flows;
#[cfg(ccp_mptcp)]
mod mptcp_commands;
#[cfg(ccp_mptcp)]
mod mptcp_hook;
mod net;
mod netlink;
mod portus_hook;
mod program_commands;
mod programs;
mod shim;
mod tcp_hook;

#[cfg(ccp_linux_7)]
module! {
    type: CcpModule,
    name: "ccp_rs",
    authors: ["The ccp_rs developers"],
    description: "Congestion control by userspace programs",
    license: "GPL",
}

#[cfg(not(ccp_linux_7))]
module! {
    type: CcpModule,
    name: "ccp_rs",
    author: "The ccp_rs developers",
    description: "Congestion control by userspace programs",
    license: "GPL",
}

/// Whether this kernel lets modules manage the paths of MPTCP.
const MPTCP: &str = if cfg!(ccp_mptcp) {
    "yes"
} else {
    "no (kernel has no pm_ops patch)"
};

/// Whether this kernel lets modules have congestion controls of DCCP.
const DCCP: &str = if cfg!(ccp_dccp) {
    "yes"
} else {
    "no (kernel has no CCID 5 patch)"
};

/// What is registered, in the order in which it has to go: no new flows and
/// connections, then no commands, then no state and no memory. `rmmod` is
/// refused while a flow or a sysctl still names the congestion control, or an
/// MPTCP socket has the path manager.
struct CcpModule {
    _debugfs: shim::Debugfs,
    _tcp: shim::CongestionControl,
    #[cfg(ccp_mptcp)]
    _mptcp: shim::mptcp::PathManager,
    #[cfg(ccp_dccp)]
    _dccp: shim::dccp::Ccid5,
    _portus: Option<shim::portus::Portus>,
    _netlink: shim::Netlink,
    _net: shim::Namespaces,
    _flows: shim::FlowCache<flows::Flow>,
}

impl kernel::Module for CcpModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let flows = shim::FlowCache::create()?;
        let net = shim::Namespaces::register()?;
        let netlink = shim::Netlink::register()?;
        let portus = match shim::limit(shim::Limit::Portus) {
            0 => None,
            _ => Some(shim::portus::Portus::register()?),
        };
        // Sockets come as soon as a hook is registered, and a module that fails
        // to load doesn't wait for them: parameters are refused first.
        #[cfg(ccp_dccp)]
        let dccp = shim::dccp::Ccid5::register()?;
        #[cfg(ccp_mptcp)]
        let mptcp = shim::mptcp::PathManager::register()?;
        let tcp = shim::CongestionControl::register()?;
        pr_info!("tcp yes, mptcp {MPTCP}, dccp {DCCP}\n");
        Ok(CcpModule {
            _debugfs: shim::Debugfs::create(),
            _tcp: tcp,
            #[cfg(ccp_mptcp)]
            _mptcp: mptcp,
            #[cfg(ccp_dccp)]
            _dccp: dccp,
            _portus: portus,
            _netlink: netlink,
            _net: net,
            _flows: flows,
        })
    }
}
