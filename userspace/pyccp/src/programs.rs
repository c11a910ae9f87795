// SPDX-License-Identifier: GPL-2.0
//! An algorithm's datapath programs, compiled as soon as they are given, so
//! that what is wrong with them is said where they are given.

use crate::error;
use ccp_lang::Symbols;
use pyo3::{exceptions::PyValueError, prelude::*};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The name of programs that come without one.
pub(crate) const UNNAMED: &str = "program";
/// Longest name of a program that the kernel takes as it is, with the name of any
/// algorithm before it.
const SHORT_MAX: usize = 19;
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

/// A program with a name.
pub(crate) struct Named {
    /// What Python calls it.
    name: String,
    /// What the agent calls it.
    pub(crate) short: String,
    pub(crate) source: String,
    pub(crate) symbols: Arc<Symbols>,
}

/// Programs of one algorithm.
pub(crate) struct Programs {
    algorithm: String,
    named: Vec<Named>,
    /// Those of `install`, by their source.
    installed: Mutex<HashMap<String, Arc<Symbols>>>,
}

impl Programs {
    pub(crate) fn compile(
        py: Python<'_>,
        algorithm: &str,
        sources: Vec<(String, String)>,
    ) -> PyResult<Self> {
        let named = (0..)
            .zip(sources)
            .map(|(index, (name, source)): (usize, _)| {
                let file = format!("{algorithm}.{name}");
                let fits = name.len() <= SHORT_MAX && name.bytes().all(|b| b.is_ascii_graphic());
                Ok(Named {
                    symbols: symbols(py, &file, &source)?,
                    short: if fits {
                        name.clone()
                    } else {
                        format!("({index})")
                    },
                    name,
                    source,
                })
            })
            .collect::<PyResult<_>>()?;
        Ok(Self {
            algorithm: algorithm.to_owned(),
            named,
            installed: Mutex::default(),
        })
    }

    pub(crate) fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// Those with names.
    pub(crate) fn named(&self) -> &[Named] {
        &self.named
    }

    /// One of them, or which there are.
    pub(crate) fn find(&self, name: &str) -> PyResult<&Named> {
        let found = self.named.iter().find(|named| named.name == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.named.iter().map(|named| &*named.name).collect();
            PyValueError::new_err(format!(
                "algorithm {} has no program '{name}', only {}",
                self.algorithm,
                known.join(", ")
            ))
        })
    }

    /// What Python calls the program that the agent calls `short`.
    pub(crate) fn name<'a>(&'a self, short: &'a str) -> &'a str {
        let named = self.named.iter().find(|named| named.short == short);
        named.map_or(short, |named| &named.name)
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
