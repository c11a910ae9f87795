// SPDX-License-Identifier: GPL-2.0
//! The agent.

use crate::{
    algorithm::{say, Algorithm},
    error,
    outcome::Ending,
    programs::Programs,
};
use ccp_agent::Options;
use pyo3::{exceptions::PyKeyboardInterrupt, prelude::*, types::PyDict};
use std::sync::Arc;

/// Serves an algorithm until Ctrl-C. Any other exception that is none of a
/// flow's own, as signal handlers and `sys.exit` raise them, is raised again when
/// the agent has detached. `log` is called with every line, with `debug` also for
/// reports and commands.
#[pyfunction]
pub(crate) fn run<'py>(
    py: Python<'py>,
    name: &str,
    programs: Vec<(String, String)>,
    new_flow: Py<PyAny>,
    log: Py<PyAny>,
    debug: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let programs = Arc::new(Programs::compile(py, name, programs)?);
    let log = Some(Arc::new(log));
    let ending = Ending::default();
    let outcome = py.detach(|| {
        let options = Options {
            stop: Arc::clone(&ending.stop),
            observe: {
                let log = log.clone();
                Box::new(move |notice| say(&log, notice.to_string()))
            },
            ..Options::default()
        };
        let algorithm = Algorithm {
            programs,
            new_flow,
            ending: ending.clone(),
            log: log.filter(|_| debug),
        };
        ccp_agent::run_with(&[Box::new(algorithm)], options, || ending.check_signals())
    });
    match ending.take() {
        Some(exception) if !exception.is_instance_of::<PyKeyboardInterrupt>(py) => {
            return Err(exception)
        }
        _ => {}
    }
    let summary = outcome.map_err(|error| error::agent(py, &error))?;
    let said = PyDict::new(py);
    said.set_item("flows", summary.flows)?;
    said.set_item("adopted", summary.adopted)?;
    said.set_item("reports", summary.reports)?;
    said.set_item("missed", summary.missed)?;
    said.set_item("fallbacks", summary.fallbacks)?;
    said.set_item("failures", summary.failures)?;
    Ok(said)
}
