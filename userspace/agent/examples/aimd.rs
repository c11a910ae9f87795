// SPDX-License-Identifier: GPL-2.0
//! The example of docs/write-an-algorithm.md: once per round trip, one segment
//! more, or half the window if something was lost.

use ccp_agent::{Algorithm, Datapath, Flow, FlowInfo, Options, Program, Report, Result};

struct Aimd;

impl Algorithm for Aimd {
    fn name(&self) -> &str {
        "aimd"
    }
    fn programs(&self) -> Vec<Program> {
        vec![Program::new("aimd", include_str!("aimd.ccp"))]
    }
    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>> {
        dp.set_program("aimd", &[])?;
        let mss = u64::from(info.mss);
        Ok(Box::new(AimdFlow { mss }))
    }
}

struct AimdFlow {
    mss: u64,
}

impl Flow for AimdFlow {
    fn on_report(&mut self, dp: &mut dyn Datapath, r: &Report) -> Result<()> {
        let cwnd = match (r.get("lost")?, r.get("limited")?) {
            (0, 0) => return Ok(()), // the application sends less than it may
            (0, _) => r.cwnd() + self.mss,
            _ => r.cwnd() / 2,
        };
        dp.update(&[("Cwnd", cwnd.max(2 * self.mss))])
    }
}

fn main() -> Result<()> {
    ccp_agent::run(&[Box::new(Aimd)], Options::default())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccp_agent::sim::{Path, Sim};
    use std::time::Duration;

    #[test]
    fn fills_the_path() {
        let mut sim = Sim::new(Path::default());
        sim.add_flow(&Aimd).unwrap();
        sim.run_for(Duration::from_secs(60));
        assert_eq!(sim.errors(), &[] as &[String]);
        // With a queue of one BDP the window's saw stays above the BDP; each
        // window of losses may be halved for twice, as it reports twice.
        assert!(sim.utilisation(Duration::from_secs(5)) > 0.8);
    }

    #[test]
    fn is_what_the_page_shows() {
        let page = include_str!("../../../docs/write-an-algorithm.md");
        let source = include_str!("aimd.rs");
        let begin = source.find("use ccp_agent").unwrap();
        let end = source.find("\n#[cfg(test)]").unwrap();
        assert!(page.contains(&source[begin..end]));
        assert!(page.contains(include_str!("aimd.ccp")));
    }
}
