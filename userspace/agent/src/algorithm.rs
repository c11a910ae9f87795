// SPDX-License-Identifier: GPL-2.0
//! What an algorithm implements, and what it is given.

use crate::{FallbackReason, FlowInfo, Report, Result};
use std::borrow::Cow;

/// A datapath program in source form.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) name: Cow<'static, str>,
    pub(crate) source: Cow<'static, str>,
}

impl Program {
    /// A program that [`Datapath::set_program`] will know as `name`, unique
    /// within its algorithm.
    pub fn new(name: impl Into<Cow<'static, str>>, source: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            source: source.into(),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The source text.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// A congestion-control algorithm: its programs, and how it takes on a flow.
pub trait Algorithm {
    /// The name users choose it by, 1 to 11 of a-z, 0-9, `_` and `-`. As a
    /// congestion control it is `ccp_NAME`.
    fn name(&self) -> &str;

    /// Every program its flows may run. They are compiled and installed before
    /// the first flow is taken on.
    fn programs(&self) -> Vec<Program>;

    /// Takes on a flow, new or (with `info.adopted`) under way: sets its first
    /// program and makes what keeps its state.
    fn new_flow(&self, dp: &mut dyn Datapath, info: &FlowInfo) -> Result<Box<dyn Flow>>;
}

/// One flow under an algorithm.
pub trait Flow {
    /// A program of the flow asked for a report. An error is logged and the
    /// flow goes on; a panic costs the flow its state (it is taken on anew),
    /// other flows nothing.
    fn on_report(&mut self, dp: &mut dyn Datapath, report: &Report) -> Result<()>;

    /// The kernel took the flow's program away. After `AgentSilent` the flow
    /// is taken on anew without asking; after `ProgramAborted` it stays with
    /// the fallback program unless this sets another.
    fn on_fallback(&mut self, dp: &mut dyn Datapath, reason: FallbackReason) -> Result<()> {
        let _ = (dp, reason);
        Ok(())
    }

    /// The connection is gone.
    fn close(&mut self) {}
}

/// A flow's kernel side, as its algorithm sees it.
pub trait Datapath {
    /// The flow's id, never reused while the module is loaded.
    fn flow_id(&self) -> u64;

    /// Switches to a program and sets control registers, `Cwnd` (bytes) or
    /// `Rate` (bytes per second); all of it or nothing.
    fn set_program(&mut self, name: &str, values: &[(&str, u64)]) -> Result<()>;

    /// Sets control registers of the program that runs, `Cwnd` or `Rate`; all
    /// or none.
    fn update(&mut self, values: &[(&str, u64)]) -> Result<()>;

    /// [`Datapath::set_program`] with a program that is none of
    /// [`Algorithm::programs`], made while the agent runs. It is compiled and
    /// installed unless it is the same, name and source, as one before, and
    /// forgotten some time after the last flow has left it. Its name may be
    /// that of another one.
    fn install(&mut self, program: &Program, values: &[(&str, u64)]) -> Result<()>;
}
