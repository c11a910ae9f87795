// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program trace`: the ACKs of a simulated flow.

use super::{
    record::{NAME, SOURCE},
    sink::Sink,
};
use crate::{cli::TraceArgs, Failure};
use ccp_agent::{
    sim::{self, Path as Link, Sim},
    Algorithm, Datapath, Flow, FlowInfo, Program, Report,
};
use ccp_core::vm::isa::primitive;
use std::{cell::RefCell, rc::Rc, time::Duration};

/// An endless flow has no end of pending data.
const UNKNOWN: [usize; 1] = [primitive::FLOW_BYTES_PENDING];

/// Longest time, and most packets, that are simulated.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const MOST: u64 = 10_000_000;

/// Steers by the recording program, and takes no reports.
struct Reno;

impl Algorithm for Reno {
    fn name(&self) -> &str {
        NAME
    }

    fn programs(&self) -> Vec<Program> {
        vec![Program::new(NAME, SOURCE)]
    }

    fn new_flow(&self, dp: &mut dyn Datapath, _: &FlowInfo) -> ccp_agent::Result<Box<dyn Flow>> {
        dp.set_program(NAME, &[])?;
        Ok(Box::new(Reno))
    }
}

impl Flow for Reno {
    fn on_report(&mut self, _: &mut dyn Datapath, _: &Report) -> ccp_agent::Result<()> {
        Ok(())
    }
}

pub(super) fn trace(args: &TraceArgs) -> Result<(), Failure> {
    let packet = u64::from(sim::WIRE);
    let packets = |time: Duration| (args.rate as f64 / 8.0 * time.as_secs_f64()) as u64 / packet;
    if args.time > LONGEST {
        let hours = LONGEST.as_secs() / 3600;
        return Err(Failure::Input(format!(
            "--time: at most {hours} hours are simulated"
        )));
    }
    if packets(args.time) > MOST {
        return Err(Failure::Input(format!(
            "--time: at this rate these are {} packets, and at most {MOST} are simulated: \
             give less --time or a lower --rate",
            packets(args.time)
        )));
    }
    let sink = Rc::new(RefCell::new(Sink::new(args.output.as_ref(), &UNKNOWN)?));
    let queue = args
        .queue
        .map_or_else(|| packets(args.rtt), |bytes| bytes / packet);
    let mut sim = Sim::new(Link {
        rate: args.rate,
        rtt: args.rtt,
        queue: usize::try_from(queue).unwrap_or(usize::MAX).max(1),
        agent: Duration::ZERO,
        ..Link::default()
    });
    let rows = Rc::clone(&sink);
    sim.observe(move |_, input| rows.borrow_mut().row(input));
    sim.add_flow(&Reno)?;
    sim.run_for(args.time);
    let mut sink = sink.borrow_mut();
    sink.finish()?;
    if sink.rows == 0 {
        eprintln!(
            "ccpctl: no ACK in {:?}: the first one takes a round trip of {:?} and the time on \
             the link",
            args.time, args.rtt
        );
    }
    match sim.errors().first() {
        Some(error) => Err(Failure::System(format!("simulation: {error}"))),
        None => Ok(()),
    }
}
