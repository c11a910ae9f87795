// SPDX-License-Identifier: GPL-2.0
//! `Datapath`, by which Python code commands a flow.
//!
//! A command is checked when it is given, and an exception raised. It is
//! carried out when the handler that gave it returns, without the interpreter's
//! lock; one given at another time, with the flow's next report.

use crate::{
    programs::{Programs, UNNAMED},
    value,
};
use ccp_lang::Symbols;
use pyo3::{
    exceptions::{PyReferenceError, PyValueError},
    prelude::*,
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Values = Vec<(String, u64)>;

/// What Python code wants done.
enum Command {
    Install(String, Values),
    SetProgram(String, Values),
    Update(Values),
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = match self {
            Self::Install(_, values) => {
                f.write_str("install")?;
                values
            }
            Self::SetProgram(name, values) => {
                write!(f, "set_program {name}")?;
                values
            }
            Self::Update(values) => {
                f.write_str("update")?;
                values
            }
        };
        values
            .iter()
            .try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

#[derive(Default)]
struct State {
    /// Symbols of the program that will run when all is carried out.
    current: Option<Arc<Symbols>>,
    commands: Vec<Command>,
}

/// A flow's commands, shared by Python's half and the agent's.
pub(crate) struct Shared {
    flow: u64,
    programs: Arc<Programs>,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(flow: u64, programs: Arc<Programs>) -> Self {
        Self {
            flow,
            programs,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out what was asked for, telling `log` of each command. All of it
    /// is tried; the first error counts.
    pub(crate) fn carry_out(
        &self,
        dp: &mut dyn ccp_agent::Datapath,
        mut log: impl FnMut(String),
    ) -> ccp_agent::Result<()> {
        let commands = std::mem::take(&mut self.state().commands);
        let mut outcome = Ok(());
        for command in commands {
            log(format!("flow {}: {command}", self.flow));
            let done = match command {
                Command::Install(source, values) => dp.install(
                    &ccp_agent::Program::new(UNNAMED, source),
                    &borrowed(&values),
                ),
                Command::SetProgram(name, values) => dp.set_program(&name, &borrowed(&values)),
                Command::Update(values) => dp.update(&borrowed(&values)),
            };
            outcome = outcome.and(done);
        }
        outcome
    }
}

fn borrowed(values: &[(String, u64)]) -> Vec<(&str, u64)> {
    values
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect()
}

/// What is set must be there to be set.
fn check(symbols: &Symbols, values: &[(String, u64)]) -> PyResult<()> {
    match values
        .iter()
        .find(|(name, _)| symbols.updatable(name).is_none())
    {
        Some((name, _)) => Err(PyValueError::new_err(format!(
            "the program has no variable '{name}' to set, only {}",
            symbols.updatable_names().join(", ")
        ))),
        None => Ok(()),
    }
}

/// A flow's datapath.
#[pyclass(frozen, module = "pyccp")]
pub(crate) struct Datapath {
    shared: Arc<Shared>,
}

impl Datapath {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn switch(
        &self,
        symbols: Arc<Symbols>,
        fields: Option<&Bound<'_, PyAny>>,
        command: impl FnOnce(Values) -> Command,
    ) -> PyResult<()> {
        let values = fields.map(value::pairs).transpose()?.unwrap_or_default();
        check(&symbols, &values)?;
        let mut state = self.shared.state();
        state.current = Some(symbols);
        state.commands.push(command(values));
        Ok(())
    }

    fn update(&self, values: Values) -> PyResult<()> {
        let mut state = self.shared.state();
        let Some(symbols) = &state.current else {
            return Err(PyReferenceError::new_err(format!(
                "flow {} runs no program yet: call install or set_program first",
                self.shared.flow
            )));
        };
        check(symbols, &values)?;
        state.commands.push(Command::Update(values));
        Ok(())
    }
}

#[pymethods]
impl Datapath {
    /// Unique id of the flow.
    #[getter]
    fn sock_id(&self) -> u64 {
        self.shared.flow
    }

    /// Compiles a program and has the flow run it.
    #[pyo3(signature = (program, fields = None))]
    fn install(
        &self,
        py: Python<'_>,
        program: String,
        fields: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let symbols = self.shared.programs.install(py, &program)?;
        self.switch(symbols, fields, |values| Command::Install(program, values))
    }

    /// Has the flow run one of the algorithm's programs.
    #[pyo3(signature = (program_name, fields = None))]
    fn set_program(&self, program_name: &str, fields: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let program = self.shared.programs.find(program_name)?;
        self.switch(Arc::clone(&program.symbols), fields, |values| {
            Command::SetProgram(program.short.clone(), values)
        })
    }

    /// Sets a variable of the program that runs, `Cwnd` or `Rate`.
    fn update_field(&self, reg_name: String, val: &Bound<'_, PyAny>) -> PyResult<()> {
        self.update(vec![value::pair(reg_name, val)?])
    }

    /// Sets several at once.
    fn update_fields(&self, fields: &Bound<'_, PyAny>) -> PyResult<()> {
        self.update(value::pairs(fields)?)
    }

    fn __repr__(&self) -> String {
        format!("<Datapath of flow {}>", self.shared.flow)
    }
}
