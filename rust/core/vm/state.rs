// SPDX-License-Identifier: GPL-2.0

//! A flow's side of the machine: what persists between invocations.

use super::{
    error::{
        Error,
        Kind, //
    },
    interp::{
        self,
        Abort,
        Meter,
        Unmetered, //
    },
    isa::{
        implicit,
        Class,
        Reg,
        IMPLICITS,
        LOCALS,
        PRIMITIVES, //
    },
    layout::{
        CWND,
        EVENT_FLAG,
        MICROS,
        OWN_BASE,
        PRIMITIVE_BASE,
        RATE,
        RTT_SAMPLE,
        SHOULD_CONTINUE,
        SHOULD_REPORT, //
    },
    program::Program,
};

/// The measurements of one invocation.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Primitive registers by index, see [`super::isa::primitive`].
    pub primitives: [u64; PRIMITIVES],
    /// Monotonic time in microseconds.
    pub now_us: u64,
    /// Congestion window in bytes.
    pub cwnd: u64,
    /// Pacing rate in bytes per second.
    pub rate: u64,
}

/// What an invocation starts from besides the primitive registers.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Monotonic time in microseconds.
    pub now_us: u64,
    /// Congestion window in bytes.
    pub cwnd: u64,
    /// Pacing rate in bytes per second.
    pub rate: u64,
}

/// The primitive registers in a flow's file, to measure into before
/// [`State::run`]; by index, see [`super::isa::primitive`]. `None` when the
/// file is too small for any program.
pub fn measurements(file: &mut [u64]) -> Option<&mut [u64; PRIMITIVES]> {
    file.get_mut(usize::from(PRIMITIVE_BASE)..)?
        .first_chunk_mut()
}

/// What an invocation asks for.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Congestion window in bytes; 0 leaves it alone.
    pub cwnd: u64,
    /// Pacing rate in bytes per second; 0 leaves it alone.
    pub rate: u64,
    /// Whether a report is to be sent; then reset the volatile registers.
    pub report: bool,
    /// Why it ended early; nothing is to be applied or sent then.
    pub abort: Option<Abort>,
}

/// An update that is for the caller to apply.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Congestion window in bytes; 0 changes nothing.
    Cwnd,
    /// Pacing rate in bytes per second; 0 changes nothing.
    Rate,
}

/// What a flow keeps besides its register file.
#[derive(Copy, Clone, Debug, Default)]
pub struct State {
    /// The time at which `Micros` is 0.
    base_us: u64,
}

/// What an update of a register is to change.
enum Target {
    Slot(u8),
    Output(Output),
}

impl State {
    /// Switches to `program`: its registers get their initial values and
    /// `Micros` starts from 0. Local registers are kept.
    pub fn install(&mut self, program: Program<'_>, file: &mut [u64], now_us: u64) {
        let header = program.header;
        let registers = usize::from(header.slots.registers);
        if let Some(own) = file.get_mut(usize::from(OWN_BASE)..registers) {
            own.fill(0);
        }
        let initial = program.definitions(header.defs).chain(program.constants());
        for (slot, value) in initial {
            store(file, slot, value);
        }
        self.base_us = now_us;
    }

    /// Checks one update against `program` without applying it.
    pub fn check_update(
        program: Program<'_>,
        class: u8,
        index: u32,
        value: u64,
    ) -> Result<(), Error> {
        let _any_value_will_do = value;
        target(program, class, index).map(|_| ())
    }

    /// Applies one update. A control register changes at once; `Cwnd` and
    /// `Rate` are named for the caller to apply.
    pub fn update(
        &mut self,
        program: Program<'_>,
        file: &mut [u64],
        class: u8,
        index: u32,
        value: u64,
    ) -> Result<Option<Output>, Error> {
        match target(program, class, index)? {
            Target::Output(output) => Ok(Some(output)),
            Target::Slot(slot) => {
                store(file, slot, value);
                Ok(None)
            }
        }
    }

    /// Runs `program` once over the [`measurements`] in `file`. Does nothing
    /// when `file` is too small for it.
    #[inline]
    pub fn run(&mut self, program: Program<'_>, file: &mut [u64], start: Start) -> Outcome {
        self.run_with(program, file, start, &mut Unmetered)
    }

    /// Like [`State::run`], with measurements that are elsewhere.
    pub fn invoke(&mut self, program: Program<'_>, file: &mut [u64], input: &Input) -> Outcome {
        let start = measure(file, input);
        self.run_with(program, file, start, &mut Unmetered)
    }

    /// Like [`State::invoke`], and adds the ops it ran to `steps`.
    ///
    /// These are at most the instructions [`super::Layout`] says, plus a test
    /// and an end for each event.
    pub fn invoke_metered(
        &mut self,
        program: Program<'_>,
        file: &mut [u64],
        input: &Input,
        steps: &mut u32,
    ) -> Outcome {
        let start = measure(file, input);
        self.run_with(program, file, start, &mut Count(steps))
    }

    #[inline(always)]
    fn run_with(
        &mut self,
        program: Program<'_>,
        file: &mut [u64],
        start: Start,
        meter: &mut impl Meter,
    ) -> Outcome {
        match program.header.slots.registers {
            64 => self.run_in::<64>(program, file, start, meter),
            128 => self.run_in::<128>(program, file, start, meter),
            _ => self.run_in::<256>(program, file, start, meter),
        }
    }

    #[inline(always)]
    fn run_in<const SLOTS: usize>(
        &mut self,
        program: Program<'_>,
        file: &mut [u64],
        start: Start,
        meter: &mut impl Meter,
    ) -> Outcome {
        let Some(file) = file.first_chunk_mut::<SLOTS>() else {
            return Outcome::default();
        };
        if file[usize::from(RTT_SAMPLE)] == 0 {
            file[usize::from(RTT_SAMPLE)] = u64::from(u32::MAX);
        }
        file[usize::from(EVENT_FLAG)] = 0;
        file[usize::from(SHOULD_CONTINUE)] = 0;
        file[usize::from(SHOULD_REPORT)] = 0;
        file[usize::from(MICROS)] = start.now_us.wrapping_sub(self.base_us);
        file[usize::from(CWND)] = start.cwnd;
        file[usize::from(RATE)] = start.rate;

        let abort = interp::run(program.code(), file, meter);

        // Time stands still while the program runs: this is right whether or
        // not it wrote Micros.
        self.base_us = start.now_us.wrapping_sub(file[usize::from(MICROS)]);
        if abort.is_some() {
            return Outcome {
                abort,
                ..Outcome::default()
            };
        }
        Outcome {
            cwnd: file[usize::from(CWND)],
            rate: file[usize::from(RATE)],
            report: file[usize::from(SHOULD_REPORT)] != 0,
            abort: None,
        }
    }

    /// The report registers, in index order, as the last invocation left them.
    ///
    /// After one that asked for no report, what another will set anyway may
    /// be newer than that.
    pub fn report<'a>(
        &self,
        program: Program<'a>,
        file: &'a [u64],
    ) -> impl ExactSizeIterator<Item = u64> + 'a {
        let slots = &program.header.slots.fields;
        let slots = slots.get(..program.report_fields()).unwrap_or(&[]);
        slots
            .iter()
            .map(|slot| file.get(usize::from(*slot)).copied().unwrap_or(0))
    }

    /// What a register holds between invocations: a control, report or local
    /// register, or `Micros`, `Cwnd` and `Rate` as the last one left them.
    /// `None` for all others, and those the program doesn't have. A report
    /// register that is only ever a measurement holds the last one, also after
    /// a report.
    pub fn read(&self, program: Program<'_>, file: &[u64], reg: Reg) -> Option<u64> {
        let header = program.header;
        let known = match reg.class {
            Class::NonvolatileControl | Class::VolatileControl => u32::from(header.controls),
            Class::NonvolatileReport | Class::VolatileReport => u32::from(header.report_fields),
            Class::Implicit if reg.index >= implicit::MICROS => IMPLICITS,
            Class::Local => LOCALS,
            _ => 0,
        };
        if reg.index >= known {
            return None;
        }
        file.get(usize::from(header.slots.register(reg))).copied()
    }

    /// Gives volatile registers their initial values, after a report.
    pub fn reset_volatile(&mut self, program: Program<'_>, file: &mut [u64]) {
        for (slot, value) in program.definitions(program.header.volatiles) {
            store(file, slot, value);
        }
    }
}

/// Copies measurements into `file`.
fn measure(file: &mut [u64], input: &Input) -> Start {
    if let Some(to) = measurements(file) {
        *to = input.primitives;
    }
    Start {
        now_us: input.now_us,
        cwnd: input.cwnd,
        rate: input.rate,
    }
}

fn store(file: &mut [u64], slot: u8, value: u64) {
    if let Some(to) = file.get_mut(usize::from(slot)) {
        *to = value;
    }
}

fn target(program: Program<'_>, class: u8, index: u32) -> Result<Target, Error> {
    let refuse = |kind| Err(Error::update(kind));
    match Class::from_code(class) {
        Some(Class::NonvolatileControl | Class::VolatileControl) => {
            let controls = u32::from(program.header.controls);
            if index >= controls {
                return refuse(Kind::UpdateControl { index, controls });
            }
            let first = program.header.slots.controls;
            Ok(Target::Slot(first.wrapping_add(index as u8)))
        }
        Some(Class::Implicit) => match index {
            implicit::CWND => Ok(Target::Output(Output::Cwnd)),
            implicit::RATE => Ok(Target::Output(Output::Rate)),
            _ => refuse(Kind::UpdateImplicit { index }),
        },
        _ => refuse(Kind::UpdateClass { code: class }),
    }
}

struct Count<'a>(&'a mut u32);

impl Meter for Count<'_> {
    fn step(&mut self) {
        *self.0 = self.0.saturating_add(1);
    }
}
