// SPDX-License-Identifier: GPL-2.0
//! An algorithm's datapath programs, compiled as soon as they are given, so
//! that what is wrong with them is said where they are given.

use crate::error;
use ccp_lang::Symbols;
use pyo3::prelude::*;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The name of programs that come without one.
pub(crate) const UNNAMED: &str = "program";
/// Most programs of `install` whose symbols are remembered.
const INSTALLED_MAX: usize = 64;

/// Compiles a program and forgets it; what is wrong with it is raised.
#[pyfunction]
pub(crate) fn compile(py: Python<'_>, source: &str) -> PyResult<()> {
    symbols(py, UNNAMED, source).map(|_| ())
}

fn symbols(py: Python<'_>, file: &str, source: &str) -> PyResult<Arc<Symbols>> {
    match ccp_lang::compile(file, source) {
        Ok(compiled) => Ok(Arc::new(compiled.symbols)),
        Err(found) => Err(error::compile(py, &found)),
    }
}

/// Programs of one algorithm.
pub(crate) struct Programs {
    algorithm: String,
    sources: Vec<(String, String)>,
    named: HashMap<String, Arc<Symbols>>,
    /// Those of `install`, by their source.
    installed: Mutex<HashMap<String, Arc<Symbols>>>,
}

impl Programs {
    pub(crate) fn compile(
        py: Python<'_>,
        algorithm: &str,
        sources: Vec<(String, String)>,
    ) -> PyResult<Self> {
        let named = sources
            .iter()
            .map(|(name, source)| {
                let file = format!("{algorithm}.{name}");
                Ok((name.clone(), symbols(py, &file, source)?))
            })
            .collect::<PyResult<_>>()?;
        Ok(Self {
            algorithm: algorithm.to_owned(),
            sources,
            named,
            installed: Mutex::default(),
        })
    }

    pub(crate) fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// Names and sources.
    pub(crate) fn sources(&self) -> &[(String, String)] {
        &self.sources
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Symbols>> {
        self.named.get(name)
    }

    /// The symbols of a program for `install`.
    pub(crate) fn install(&self, py: Python<'_>, source: &str) -> PyResult<Arc<Symbols>> {
        let mut installed = self
            .installed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = installed.get(source) {
            return Ok(Arc::clone(known));
        }
        let made = symbols(py, &format!("{}.{UNNAMED}", self.algorithm), source)?;
        if installed.len() >= INSTALLED_MAX {
            installed.clear();
        }
        installed.insert(source.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}
