// SPDX-License-Identifier: GPL-2.0
//! The native half of the Python package `pyccp`: the agent, the simulator and
//! the compiler of this workspace. The half in Python, below `python/`, checks
//! what people write and gives it to [`run`] and [`simulate`].

#![deny(unsafe_code)]

mod algorithm;
mod datapath;
mod error;
mod info;
mod outcome;
mod programs;
mod report;
mod run;
mod simulate;
mod value;

use pyo3::prelude::*;

/// The module `pyccp._pyccp`.
#[pymodule]
fn _pyccp(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<datapath::Datapath>()?;
    module.add_class::<info::DatapathInfo>()?;
    module.add_class::<report::Report>()?;
    module.add_function(wrap_pyfunction!(programs::compile, module)?)?;
    module.add_function(wrap_pyfunction!(run::run, module)?)?;
    module.add_function(wrap_pyfunction!(simulate::simulate, module)?)?;
    Ok(())
}
