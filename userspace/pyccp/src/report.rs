// SPDX-License-Identifier: GPL-2.0
//! `Report`, whose attributes are the fields of the program that made it.

use pyo3::{exceptions::PyAttributeError, prelude::*, types::PyDict, IntoPyObjectExt};
use std::fmt::Write;

/// What is there besides the program's fields; a field of the same name hides it.
const OTHERS: [&str; 6] = ["fields", "missed", "program", "seq", "stale", "time_us"];

/// A report of a flow's program.
#[pyclass(frozen, module = "pyccp")]
pub(crate) struct Report {
    fields: Vec<(String, u64)>,
    cwnd: u64,
    rate: u64,
    seq: u64,
    missed: u64,
    time_us: u64,
    program: String,
    stale: bool,
}

impl Report {
    pub(crate) fn new(report: &ccp_agent::Report, program: &str) -> Self {
        Self {
            fields: report
                .fields()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            cwnd: report.cwnd(),
            rate: report.rate(),
            seq: report.seq(),
            missed: report.missed(),
            time_us: report.time_us(),
            program: program.to_owned(),
            stale: report.is_stale(),
        }
    }

    /// All values, for people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.fields {
            let _ = write!(text, "{name}={value} ");
        }
        let _ = write!(text, "Cwnd={} Rate={}", self.cwnd, self.rate);
        text
    }

    /// Of two fields with one name the later one is what the program sets.
    fn field(&self, name: &str) -> Option<u64> {
        let mut backwards = self.fields.iter().rev();
        backwards.find(|(known, _)| known == name).map(|(_, v)| *v)
    }
}

#[pymethods]
impl Report {
    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        match name {
            "Cwnd" => return self.cwnd.into_py_any(py),
            "Rate" => return self.rate.into_py_any(py),
            _ => {}
        }
        if let Some(value) = self.field(name) {
            return value.into_py_any(py);
        }
        match name {
            "fields" => {
                let fields = PyDict::new(py);
                for (name, value) in &self.fields {
                    fields.set_item(name, value)?;
                }
                fields.into_py_any(py)
            }
            "missed" => self.missed.into_py_any(py),
            "program" => self.program.as_str().into_py_any(py),
            "seq" => self.seq.into_py_any(py),
            "stale" => self.stale.into_py_any(py),
            "time_us" => self.time_us.into_py_any(py),
            _ => {
                let known = self.fields.iter().map(|(name, _)| name.as_str());
                let known: Vec<&str> = known.chain(["Cwnd", "Rate"]).collect();
                Err(PyAttributeError::new_err(format!(
                    "program '{}' does not report '{name}', only {}",
                    self.program,
                    known.join(", ")
                )))
            }
        }
    }

    fn __dir__(&self) -> Vec<&str> {
        let fields = self.fields.iter().map(|(name, _)| name.as_str());
        fields.chain(["Cwnd", "Rate"]).chain(OTHERS).collect()
    }

    fn __repr__(&self) -> String {
        format!("<Report {}: {}>", self.seq, self.text())
    }
}
