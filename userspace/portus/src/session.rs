// SPDX-License-Identifier: GPL-2.0
//! One client's numbers: its programs and flows as it knows them, and as the
//! module does.

use ccp_core::portus::{self, Create, Endpoint, Measure};
use ccp_netlink::{FlowInfo, RawReport};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

/// What a client installed and was told.
#[derive(Default)]
pub(crate) struct Session {
    /// The module's ids of programs by the client's.
    programs: HashMap<u32, u32>,
    /// The client's by the module's.
    uids: HashMap<u32, u32>,
    /// Flows by the numbers the client was told.
    flows: HashMap<u32, u64>,
    /// Programs installed so far, for their names.
    installed: u64,
}

impl Session {
    /// A name for the next program: no other of this agent ever had it.
    pub(crate) fn program_name(&mut self, uid: u32) -> String {
        self.installed += 1;
        format!("uid{uid}.{}", self.installed)
    }

    /// The module has the program; the one that had the number before is
    /// returned.
    pub(crate) fn add_program(&mut self, uid: u32, id: u32) -> Option<u32> {
        let old = self.programs.insert(uid, id);
        if let Some(old) = old {
            self.uids.remove(&old);
        }
        self.uids.insert(id, uid);
        old
    }

    /// The module's id of a program.
    pub(crate) fn program(&self, uid: u32) -> Option<u32> {
        self.programs.get(&uid).copied()
    }

    /// The flow the client means.
    pub(crate) fn flow(&self, sid: u32) -> Option<u64> {
        self.flows.get(&sid).copied()
    }

    /// CREATE for a flow; `None` when its number is another live flow's.
    pub(crate) fn create(&mut self, flow: &FlowInfo) -> Option<Vec<u8>> {
        let sid = portus::sid_of(flow.id);
        let taken = self.flow(sid).is_some_and(|other| other != flow.id);
        if sid == 0 || taken {
            return None;
        }
        self.flows.insert(sid, flow.id);
        let create = Create {
            sid,
            init_cwnd: flow.init_cwnd,
            mss: flow.mss,
            local: endpoint(flow.local),
            remote: endpoint(flow.remote),
            algorithm: b"",
        };
        Some(create.bytes().to_vec())
    }

    /// MEASURE for a report; `None` for what the client couldn't read.
    pub(crate) fn measure(&self, report: &RawReport) -> Option<Vec<u8>> {
        let sid = portus::sid_of(report.flow_id);
        let uid = self.uids.get(&report.program_id)?;
        (self.flow(sid) == Some(report.flow_id))
            .then(|| Measure::new(sid, *uid, &report.fields).bytes().to_vec())
    }

    /// The close of a flow; `None` for one the client doesn't know.
    pub(crate) fn close(&mut self, flow: u64) -> Option<Vec<u8>> {
        let sid = portus::sid_of(flow);
        (self.flow(sid) == Some(flow)).then(|| {
            self.flows.remove(&sid);
            portus::close(sid).to_vec()
        })
    }

    /// Flows the client knows that aren't among these.
    pub(crate) fn gone(&self, live: &[u64]) -> Vec<u64> {
        let flows = self.flows.values().copied();
        flows.filter(|flow| !live.contains(flow)).collect()
    }
}

/// As it is on the network; IPv6 has no room.
fn endpoint(end: Option<SocketAddr>) -> Endpoint {
    let Some(end) = end else {
        return Endpoint::default();
    };
    let address = match end.ip().to_canonical() {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => [0; 4],
    };
    Endpoint {
        address,
        port: end.port().to_be_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(id: u64) -> FlowInfo {
        FlowInfo {
            id,
            mss: 1448,
            init_cwnd: 14480,
            local: Some("10.0.1.1:4660".parse().unwrap()),
            remote: Some("[::ffff:10.0.2.2]:22136".parse().unwrap()),
            ..FlowInfo::default()
        }
    }

    fn report(flow_id: u64, program_id: u32) -> RawReport {
        RawReport {
            flow_id,
            program_id,
            fields: vec![1, 2],
            ..RawReport::default()
        }
    }

    #[test]
    fn a_flow_has_its_number_until_it_ends() {
        let mut session = Session::default();
        let bytes = session.create(&flow(5)).unwrap();
        assert_eq!(bytes[4], 5);
        assert_eq!(bytes[16..24], [10, 0, 1, 1, 0x12, 0x34, 0, 0]);
        assert_eq!(bytes[24..32], [10, 0, 2, 2, 0x56, 0x78, 0, 0]);
        assert_eq!(session.flow(5), Some(5));
        // 2^32 flows later.
        let other = (1 << 32) + 5;
        assert_eq!(session.create(&flow(other)), None);
        assert_eq!(session.close(other), None);
        assert_eq!(session.gone(&[other]), [5]);
        assert!(session.close(5).is_some());
        assert_eq!(session.close(5), None);
        assert!(session.create(&flow(other)).is_some());
        assert_eq!(session.flow(5), Some(other));
        assert_eq!(session.create(&flow(1 << 32)), None, "number 0");
    }

    #[test]
    fn reports_are_of_programs_that_have_their_number() {
        let mut session = Session::default();
        session.create(&flow(5)).unwrap();
        assert_eq!(session.add_program(7, 100), None);
        let bytes = session.measure(&report(5, 100)).unwrap();
        assert_eq!((bytes[4], bytes[8], bytes[12]), (5, 7, 2));
        assert_eq!(session.measure(&report(6, 100)), None, "not told of");
        assert_eq!(session.measure(&report(5, 0)), None, "the fallback's");
        assert_eq!(session.add_program(7, 101), Some(100));
        assert_eq!(session.measure(&report(5, 100)), None, "replaced");
        assert!(session.measure(&report(5, 101)).is_some());
        assert_eq!(session.program(7), Some(101));
        assert_ne!(session.program_name(7), session.program_name(7));
    }
}
