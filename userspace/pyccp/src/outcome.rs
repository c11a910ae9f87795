// SPDX-License-Identifier: GPL-2.0
//! What becomes of exceptions in handlers.

use pyo3::{exceptions::PyException, prelude::*};
use std::sync::{
    atomic::{AtomicBool, Ordering},
    Arc, Mutex, PoisonError,
};

/// Where exceptions go that end the whole run: the first is kept, and `stop` is
/// set.
#[derive(Clone, Default)]
pub(crate) struct Ending {
    pub(crate) stop: Arc<AtomicBool>,
    first: Arc<Mutex<Option<PyErr>>>,
    /// Every exception ends the run, not only `KeyboardInterrupt` and its like.
    any: Arc<AtomicBool>,
}

impl Ending {
    /// From now on, every exception ends the run, or not.
    pub(crate) fn on_any_exception(&self, any: bool) {
        self.any.store(any, Ordering::Relaxed);
    }

    /// Takes a handler's exception, and gives it back as the agent's, with its
    /// traceback.
    pub(crate) fn judge(&self, py: Python<'_>, error: PyErr) -> ccp_agent::Error {
        let text = described(py, &error);
        if self.any.load(Ordering::Relaxed) || !error.is_instance_of::<PyException>(py) {
            self.end(error);
        }
        ccp_agent::Error::Algorithm(text.into())
    }

    /// Lets Python see to signals: Ctrl-C raises an exception here.
    pub(crate) fn check_signals(&self) {
        Python::attach(|py| {
            if let Err(error) = py.check_signals() {
                self.end(error);
            }
        });
    }

    fn end(&self, error: PyErr) {
        self.stop.store(true, Ordering::Relaxed);
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
    }

    pub(crate) fn take(&self) -> Option<PyErr> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.take()
    }
}

/// An exception with its traceback, as the interpreter prints it.
fn described(py: Python<'_>, error: &PyErr) -> String {
    let formatted = py.import("traceback").and_then(|traceback| {
        let lines: Vec<String> = traceback
            .call_method1(
                "format_exception",
                (error.get_type(py), error.value(py), error.traceback(py)),
            )?
            .extract()?;
        Ok(lines.concat().trim_end().to_owned())
    });
    formatted.unwrap_or_else(|_| error.to_string())
}
