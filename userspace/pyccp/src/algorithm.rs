// SPDX-License-Identifier: GPL-2.0
//! An algorithm in Python, as the agent and the simulator know one.

use crate::{
    datapath::{Datapath, Shared},
    info::DatapathInfo,
    outcome::Ending,
    programs::Programs,
    report::Report,
};
use ccp_agent::{FallbackReason, FlowInfo, Result};
use pyo3::{intern, prelude::*};
use std::sync::Arc;

/// What is told of every report and command, if anyone wants to know.
pub(crate) type Log = Option<Arc<Py<PyAny>>>;

pub(crate) struct Algorithm {
    pub(crate) programs: Arc<Programs>,
    /// Makes the object of a flow: `new_flow(datapath, datapath_info)`.
    pub(crate) new_flow: Py<PyAny>,
    pub(crate) ending: Ending,
    pub(crate) log: Log,
}

impl ccp_agent::Algorithm for Algorithm {
    fn name(&self) -> &str {
        self.programs.algorithm()
    }

    fn programs(&self) -> Vec<ccp_agent::Program> {
        let named = self.programs.named().iter();
        named
            .map(|named| ccp_agent::Program::new(named.short.clone(), named.source.clone()))
            .collect()
    }

    fn new_flow(
        &self,
        dp: &mut dyn ccp_agent::Datapath,
        info: &FlowInfo,
    ) -> Result<Box<dyn ccp_agent::Flow>> {
        let shared = Arc::new(Shared::new(info.id, Arc::clone(&self.programs)));
        let object = Python::attach(|py| {
            let datapath = Datapath::new(Arc::clone(&shared));
            let made = self.new_flow.call1(py, (datapath, DatapathInfo::new(info)));
            made.map_err(|error| self.ending.judge(py, error))
        })?;
        let flow = Flow {
            id: info.id,
            object,
            programs: Arc::clone(&self.programs),
            shared,
            ending: self.ending.clone(),
            log: self.log.clone(),
        };
        flow.carry_out(dp)?;
        Ok(Box::new(flow))
    }
}

struct Flow {
    id: u64,
    object: Py<PyAny>,
    programs: Arc<Programs>,
    shared: Arc<Shared>,
    ending: Ending,
    log: Log,
}

impl Flow {
    fn carry_out(&self, dp: &mut dyn ccp_agent::Datapath) -> Result<()> {
        self.shared.carry_out(dp, |text| say(&self.log, text))
    }

    /// Calls a handler; the commands it gave are carried out also when it
    /// fails in the end.
    fn handle(
        &self,
        dp: &mut dyn ccp_agent::Datapath,
        call: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<()>,
    ) -> Result<()> {
        let called = Python::attach(|py| {
            call(self.object.bind(py)).map_err(|error| self.ending.judge(py, error))
        });
        let done = self.carry_out(dp);
        called.and(done)
    }
}

/// Calls an optional method.
fn call_if_there<'py>(
    object: &Bound<'py, PyAny>,
    name: &str,
    arguments: impl pyo3::call::PyCallArgs<'py>,
) -> PyResult<()> {
    match object.getattr_opt(name)? {
        Some(method) => method.call1(arguments).map(|_| ()),
        None => Ok(()),
    }
}

impl ccp_agent::Flow for Flow {
    fn on_report(
        &mut self,
        dp: &mut dyn ccp_agent::Datapath,
        report: &ccp_agent::Report,
    ) -> Result<()> {
        let report = Report::new(report, self.programs.name(report.program()));
        if self.log.is_some() {
            say(
                &self.log,
                format!("flow {}: report {}", self.id, report.text()),
            );
        }
        self.handle(dp, |object| {
            let name = intern!(object.py(), "on_report");
            object.call_method1(name, (report,)).map(|_| ())
        })
    }

    fn on_fallback(
        &mut self,
        dp: &mut dyn ccp_agent::Datapath,
        reason: FallbackReason,
    ) -> Result<()> {
        self.handle(dp, |object| {
            call_if_there(object, "on_fallback", (reason.to_string(),))
        })
    }

    fn close(&mut self) {
        Python::attach(|py| {
            if let Err(error) = call_if_there(self.object.bind(py), "close", ()) {
                let error = self.ending.judge(py, error);
                eprintln!("flow {}: {error}", self.id);
            }
        });
    }
}

/// Has Python write a line. Who cannot be told is not told.
pub(crate) fn say(log: &Log, text: String) {
    if let Some(log) = log {
        Python::attach(|py| {
            if let Err(error) = log.call1(py, (text,)) {
                error.write_unraisable(py, None);
            }
        });
    }
}
