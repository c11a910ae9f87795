// SPDX-License-Identifier: GPL-2.0
//! Linked increases for MPTCP.

#[cfg(test)]
mod tests;

use crate::{
    reno::{Reno, RenoFlow},
    Parameter,
};
use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Program, Report, Result};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

/// What can be set.
pub const PARAMETERS: &[Parameter] = &[];

/// Linked increases (RFC 6356). Flows that are no subflows are under Reno.
#[derive(Debug, Default)]
pub struct Lia {
    reno: Reno,
    connections: Connections,
    /// Number of the next subflow.
    next: Cell<u64>,
}

/// The subflows of each MPTCP connection, by its token.
type Connections = Rc<RefCell<HashMap<u32, BTreeMap<u64, Member>>>>;

/// What the others need to know of a subflow.
#[derive(Clone, Copy, Debug)]
struct Member {
    /// Congestion window, bytes.
    cwnd: u64,
    /// Smoothed RTT, microseconds; 0: none yet.
    rtt: u64,
}

impl Algorithm for Lia {
    fn name(&self) -> &str {
        "lia"
    }

    fn programs(&self) -> Vec<Program> {
        self.reno.programs()
    }

    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
        let reno = self.reno.take_on(dp, info)?;
        let Some(token) = info.mptcp_token else {
            return Ok(Box::new(reno));
        };
        let number = self.next.get();
        self.next.set(number + 1);
        Ok(Box::new(Subflow {
            reno,
            token,
            number,
            connections: Rc::clone(&self.connections),
            coupled: 0,
        }))
    }
}

struct Subflow {
    reno: RenoFlow,
    token: u32,
    number: u64,
    connections: Connections,
    /// What the program has, bytes.
    coupled: u64,
}

impl Flow for Subflow {
    fn on_report(&mut self, dp: &mut dyn Datapath, report: &Report) -> Result<()> {
        self.reno.on_report(dp, report)?;
        let own = Member {
            cwnd: report.cwnd(),
            rtt: report.get("rtt")?,
        };
        let mut connections = self.connections.borrow_mut();
        let members = connections.entry(self.token).or_default();
        members.insert(self.number, own);
        let coupled = needed(members.values());
        if coupled != self.coupled {
            dp.update(&[("coupled", coupled)])?;
            self.coupled = coupled;
        }
        Ok(())
    }
}

impl Drop for Subflow {
    fn drop(&mut self) {
        let mut connections = self.connections.borrow_mut();
        if let Some(members) = connections.get_mut(&self.token) {
            members.remove(&self.number);
            if members.is_empty() {
                connections.remove(&self.token);
            }
        }
    }
}

/// Bytes to acknowledge on a subflow for one more packet of its window, where
/// that is more than the window itself: RFC 6356, section 3, has the window
/// grow by `alpha * acked * mss / total`, so this is `total / alpha`. 0 for a
/// subflow without company.
fn needed<'a>(members: impl Iterator<Item = &'a Member> + Clone) -> u64 {
    let known = members
        .filter(|member| member.rtt > 0)
        .map(|member| (member.cwnd as f64, member.rtt as f64));
    if known.clone().count() < 2 {
        return 0;
    }
    let best = known
        .clone()
        .map(|(cwnd, rtt)| cwnd / (rtt * rtt))
        .fold(0.0, f64::max);
    let sum: f64 = known.map(|(cwnd, rtt)| cwnd / rtt).sum();
    if best > 0.0 {
        (sum * sum / best) as u64
    } else {
        0
    }
}
