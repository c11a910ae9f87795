// SPDX-License-Identifier: GPL-2.0
//! Errors as Python exceptions. Their classes are in `pyccp/errors.py`.

use ccp_agent::Error;
use ccp_lang::Diagnostics;
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyTuple};

/// An exception of `pyccp.errors`, or why there is none.
fn exception<'py>(
    py: Python<'py>,
    class: &str,
    arguments: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyErr {
    let made = py.import("pyccp.errors").and_then(|errors| {
        let arguments = arguments.into_pyobject(py)?;
        errors.getattr(class)?.call1(arguments)
    });
    match made {
        Ok(made) => PyErr::from_value(made),
        Err(error) => error,
    }
}

/// `CompileError(message, line, column, code, help)`: the whole text, and where
/// its first finding is.
pub(crate) fn compile(py: Python<'_>, found: &Diagnostics) -> PyErr {
    let text = found.to_string();
    match found.records().next() {
        Some(first) => exception(
            py,
            "CompileError",
            (
                text,
                first.start.line,
                first.start.column,
                first.code,
                first.help,
            ),
        ),
        None => PyRuntimeError::new_err(text),
    }
}

/// What ended the agent.
pub(crate) fn agent(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, "AgentError", (error.to_string(),))
}
