// SPDX-License-Identifier: GPL-2.0
//! What is compared: two programs that take turns on one flow.

use std::fmt;

use ccp_core::vm::isa::Class;
use ccp_lang::{compile_with, Binary, Options};
use fastrand::Rng;

use crate::{generate, listing::Listing, Portus, Update};

/// A program in all the forms that are compared.
pub struct Program {
    /// Its text, unless it was generated in wire form.
    pub text: Option<String>,
    /// What libccp runs, and our machine too.
    pub portus: Binary,
    /// What our compiler makes of the text, without and with optimising.
    pub ours: Option<[Binary; 2]>,
    /// What the model runs.
    pub listing: Listing,
    /// The names of variables an agent can set, if it was text.
    pub names: Vec<String>,
    /// Class and index of each such variable in the three forms.
    pub controls: Vec<Option<[(u8, u32); 3]>>,
}

impl Program {
    /// A program in wire form.
    pub fn wire(program: Binary) -> Self {
        let listing = Listing::new(&program, &[]);
        let controls = listing.controls();
        Self {
            text: None,
            portus: program,
            ours: None,
            listing,
            controls: controls.map(|index| Some([(0, index); 3])).collect(),
            names: Vec::new(),
        }
    }

    /// A program that portus and our compiler compile, and names of variables
    /// that may be set if the program has them. `None` if portus doesn't
    /// take it; an error if only our compiler doesn't.
    pub fn source(text: &str, names: &[String]) -> Result<Option<Self>, String> {
        let Ok(portus) = Portus::compile(text) else {
            return Ok(None);
        };
        let compile = |optimise| {
            compile_with("generated.ccp", text, Options { optimise })
                .map_err(|errors| format!("only portus compiles this:\n{text}\n{errors}"))
        };
        let [plain, optimised] = [compile(false)?, compile(true)?];
        let listing = Listing::new(&portus.program, &portus.logical);
        let register = |name: &String| {
            let ours = [&plain, &optimised].map(|c| c.symbols.updatable(name));
            match (portus.updatable(name), ours) {
                (None, [None, None]) => Ok(None),
                (Some(portus), [Some(a), Some(b)]) => {
                    Ok(Some([portus, (a.class, a.index), (b.class, b.index)]))
                }
                _ => Err(format!("not everybody can set {name}:\n{text}")),
            }
        };
        let registers = names.iter().map(register).collect::<Result<_, _>>()?;
        Ok(Some(Self {
            text: Some(text.to_owned()),
            portus: portus.program,
            listing,
            controls: registers,
            names: names.to_vec(),
            ours: Some([plain.program, optimised.program]),
        }))
    }

    /// The program in the form that the lane `lane` runs.
    pub(crate) fn form(&self, lane: usize) -> &Binary {
        match (lane, &self.ours) {
            (2, Some([plain, _])) => plain,
            (3, Some([_, optimised])) => optimised,
            _ => &self.portus,
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            writeln!(f, "{text}")?;
        }
        self.listing.fmt(f)
    }
}

/// A register to set and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What to set.
    pub what: Settable,
    /// Its new value.
    pub value: u64,
}

/// What an agent can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settable {
    /// The control variable at this place of [`Program::controls`].
    Control(usize),
    /// The congestion window.
    Cwnd,
    /// The pacing rate.
    Rate,
}

impl Setting {
    /// As an update of `program` in the form of a lane. `None` if the program
    /// lacks the variable.
    pub(crate) fn update(self, program: &Program, lane: usize) -> Option<Update> {
        let (class, index) = match self.what {
            Settable::Control(at) => (*program.controls.get(at)?)?[lane.saturating_sub(1)],
            Settable::Cwnd => (Class::Implicit as u8, 4),
            Settable::Rate => (Class::Implicit as u8, 5),
        };
        Some(Update {
            class,
            index,
            value: self.value,
        })
    }
}

/// Programs that take turns.
pub struct Case {
    /// What it was generated from.
    pub seed: u64,
    /// The programs.
    pub programs: Vec<Program>,
}

impl Case {
    /// Two programs generated from `seed`: source text for one seed in two,
    /// else in wire form.
    ///
    /// The error is a text that portus compiles and our compiler doesn't.
    pub fn generate(seed: u64) -> Result<Self, String> {
        let mut rng = Rng::with_seed(seed);
        let mut programs = Vec::new();
        while programs.len() < 2 {
            if seed % 2 == 0 {
                programs.push(Program::wire(generate::wire(&mut rng)));
                continue;
            }
            let source = generate::source(&mut rng);
            let program = Program::source(&source.text, &source.controls);
            let program = program.map_err(|error| format!("seed {seed}: {error}"))?;
            // libccp never ends with more than 255 instructions.
            programs.extend(program.filter(|p| p.portus.instructions.len() < 256 * 16));
        }
        Ok(Self { seed, programs })
    }
}
