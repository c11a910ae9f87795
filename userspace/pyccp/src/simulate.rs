// SPDX-License-Identifier: GPL-2.0
//! The simulator.

use crate::{algorithm::Algorithm, error, outcome::Ending, programs::Programs};
use ccp_agent::sim::{Drops, FlowId, Path, Sample, Sim};
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use std::{
    sync::{atomic::Ordering, Arc},
    time::Duration,
};

/// Signals are looked for, and exceptions end a run, this often, in simulated
/// time.
const STEP: Duration = Duration::from_millis(50);

/// One run of a flow's program: time, window in bytes, smoothed RTT, packets in
/// flight, delivered and lost, whether it was a timeout, whether in recovery.
type Row = (f64, u64, f64, u32, u32, u32, bool, bool);

fn row(sample: &Sample) -> Row {
    (
        sample.time.as_secs_f64(),
        sample.cwnd,
        sample.srtt.as_secs_f64(),
        sample.in_flight,
        sample.delivered,
        sample.lost,
        sample.timeout,
        sample.recovery,
    )
}

/// The path that flows share, and how long they use it.
#[derive(Clone, Copy, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Scene {
    /// Bits per second.
    rate: u64,
    /// Seconds.
    rtt: f64,
    /// Packets.
    queue: usize,
    mark: Option<usize>,
    loss: f64,
    seed: u64,
    agent_delay: f64,
    seconds: f64,
    /// When the utilisation begins to count.
    warmup: f64,
    flows: usize,
    /// What applications write, bits per second; None: all that fits.
    app_rate: Option<u64>,
    /// The first exception of a handler, and a program's abort, end the run.
    check: bool,
}

fn duration(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|error| pyo3::exceptions::PyValueError::new_err(format!("{seconds} s: {error}")))
}

/// Runs an algorithm over a simulated path: the utilisation of the link, the
/// rows of each flow, what went wrong.
#[pyfunction]
pub(crate) fn simulate(
    py: Python<'_>,
    name: &str,
    programs: Vec<(String, String)>,
    new_flow: Py<PyAny>,
    scene: Scene,
) -> PyResult<(f64, Vec<Vec<Row>>, Vec<String>)> {
    let ending = Ending::default();
    ending.on_any_exception(true);
    let algorithm = Algorithm {
        programs: Arc::new(Programs::compile(py, name, programs)?),
        new_flow,
        ending: ending.clone(),
        log: None,
    };
    let path = Path {
        rate: scene.rate,
        rtt: duration(scene.rtt)?,
        queue: scene.queue,
        mark: scene.mark,
        drops: if scene.loss > 0.0 {
            Drops::Random {
                probability: scene.loss,
                seed: scene.seed,
            }
        } else {
            Drops::None
        },
        agent: duration(scene.agent_delay)?,
    };
    let (end, warmup) = (duration(scene.seconds)?, duration(scene.warmup)?);
    let mut sim = Sim::new(path);
    let mut flows: Vec<FlowId> = Vec::new();
    for _ in 0..scene.flows {
        let added = match scene.app_rate {
            Some(rate) => sim.add_limited_flow(&algorithm, rate),
            None => sim.add_flow(&algorithm),
        };
        if let Some(exception) = ending.take() {
            return Err(exception);
        }
        flows.push(added.map_err(|error| error::agent(py, &error))?);
    }
    ending.on_any_exception(scene.check);
    while sim.now() < end && !ending.stop.load(Ordering::Relaxed) {
        sim.run_for(STEP.min(end - sim.now()));
        ending.check_signals();
    }
    if let Some(exception) = ending.take() {
        return Err(exception);
    }
    if let (true, Some(error)) = (scene.check, sim.errors().first()) {
        return Err(PyRuntimeError::new_err(error.clone()));
    }
    let rows = |flow: &FlowId| sim.samples(*flow).iter().map(row).collect();
    Ok((
        sim.utilisation(warmup),
        flows.iter().map(rows).collect(),
        sim.errors().to_vec(),
    ))
}
