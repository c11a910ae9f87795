// SPDX-License-Identifier: GPL-2.0
//! Where a program aborts.
//!
//! The interpreter runs something made of the instructions, and need not know
//! which of them it is at. After an abort the invocation is done once more
//! here, instruction by instruction.

use ccp_asm::{operation, Names};
use ccp_core::vm::{
    isa::{implicit, Class, Event, Instruction, Opcode, Reg},
    Abort,
};
use ccp_lang::Binary;
use std::collections::HashMap;

/// A program to find places in. What is made of source is better not
/// optimised: its events are the clauses.
pub(super) struct Plain {
    program: Binary,
    names: Names,
    events: Vec<Event>,
    instructions: Vec<Instruction>,
    /// Line of each event in the source.
    lines: Vec<usize>,
}

/// An instruction that aborts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) event: usize,
    pub(super) instruction: usize,
    /// In the text form.
    pub(super) operation: String,
    /// Line of the event in the source, if there is one.
    pub(super) line: Option<usize>,
}

impl Plain {
    pub(super) fn new(program: Binary, names: Names, source: Option<&str>) -> Self {
        let (events, instructions) = ccp_asm::units(&program);
        let mut lines = source.map(lists).unwrap_or_default();
        // Each event is a clause, and these come last.
        lines.drain(..lines.len().saturating_sub(events.len()));
        Self {
            program,
            names,
            events,
            instructions,
            lines,
        }
    }

    /// The instruction that aborts this way in an invocation that begins with
    /// these registers.
    pub(super) fn find(&self, abort: Abort, before: &dyn Fn(Reg) -> u64) -> Option<Place> {
        let mut registers = Registers {
            before,
            written: HashMap::new(),
        };
        let (event, instruction, found) = self.run(&mut registers)?;
        if found != abort {
            return None;
        }
        Some(Place {
            event,
            instruction,
            operation: operation(&self.program, &self.names, instruction)?,
            line: self.lines.get(event).copied(),
        })
    }

    /// Event, instruction and reason of the abort this invocation ends with.
    fn run(&self, registers: &mut Registers<'_>) -> Option<(usize, usize, Abort)> {
        let flag = |index| Reg::new(Class::Implicit, index);
        for (number, event) in self.events.iter().enumerate() {
            let condition = (event.cond_start, event.cond_count);
            let body = (event.body_start, event.body_count);
            for (start, count) in [condition, body] {
                match self.block(start, count, registers) {
                    Ok(()) => {}
                    Err((at, abort)) => return Some((number, at, abort)),
                }
                if registers.get(flag(implicit::EVENT_FLAG)) == 0 {
                    break;
                }
            }
            let over = registers.get(flag(implicit::SHOULD_CONTINUE)) == 0;
            if over && registers.get(flag(implicit::EVENT_FLAG)) != 0 {
                return None;
            }
        }
        None
    }

    /// Runs some instructions; where and why they abort.
    fn block(
        &self,
        start: u32,
        count: u32,
        registers: &mut Registers<'_>,
    ) -> Result<(), (usize, Abort)> {
        let index = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let mut at = index(start);
        let end = at.saturating_add(index(count));
        while let Some(instruction) = self.instructions.get(at).filter(|_| at < end) {
            let Instruction {
                opcode,
                result,
                left,
                right,
            } = *instruction;
            if opcode == Opcode::SkipZ {
                let skipped = if registers.get(left) == 0 {
                    index(right.index)
                } else {
                    0
                };
                at = at.saturating_add(skipped).saturating_add(1);
                continue;
            }
            let operands = [left, right, result].map(|reg| registers.get(reg));
            let value = compute(opcode, operands).map_err(|abort| (at, abort))?;
            registers.written.insert(key(result), value);
            at += 1;
        }
        Ok(())
    }
}

struct Registers<'a> {
    before: &'a dyn Fn(Reg) -> u64,
    written: HashMap<(u8, u32), u64>,
}

impl Registers<'_> {
    fn get(&self, reg: Reg) -> u64 {
        match reg.class {
            Class::Immediate => reg.index.into(),
            _ => match self.written.get(&key(reg)) {
                Some(value) => *value,
                None => (self.before)(reg),
            },
        }
    }
}

/// Classes of one kind are the same registers.
fn key(reg: Reg) -> (u8, u32) {
    let class = match reg.class {
        Class::VolatileReport => Class::NonvolatileReport,
        Class::VolatileControl => Class::NonvolatileControl,
        class => class,
    };
    (class as u8, reg.index)
}

fn compute(opcode: Opcode, [left, right, old]: [u64; 3]) -> Result<u64, Abort> {
    Ok(match opcode {
        Opcode::Add => left.checked_add(right).ok_or(Abort::AddOverflow)?,
        Opcode::Sub => left.checked_sub(right).ok_or(Abort::SubUnderflow)?,
        Opcode::Mul => left.checked_mul(right).ok_or(Abort::MulOverflow)?,
        Opcode::Div => left.checked_div(right).ok_or(Abort::DivideByZero)?,
        Opcode::Ewma => average(left, old, right)?,
        Opcode::Bind => right,
        Opcode::If if left != 0 => right,
        Opcode::NotIf if left == 0 => right,
        Opcode::Max => left.max(right),
        Opcode::Min => left.min(right),
        Opcode::MaxWrap => later(left, right),
        Opcode::Equiv => (left == right).into(),
        Opcode::Gt => (left > right).into(),
        Opcode::Lt => (left < right).into(),
        Opcode::Le => (left <= right).into(),
        Opcode::Ge => (left >= right).into(),
        Opcode::Ne => (left != right).into(),
        Opcode::And => (left != 0 && right != 0).into(),
        Opcode::Or => (left != 0 || right != 0).into(),
        Opcode::Not => (right == 0).into(),
        Opcode::AddSat => left.saturating_add(right),
        Opcode::SubSat => left.saturating_sub(right),
        Opcode::MulSat => left.saturating_mul(right),
        // The operands are the halves.
        Opcode::Const => left | (right << 32),
        // The last three are not in an event, or done elsewhere.
        Opcode::If | Opcode::NotIf | Opcode::Def | Opcode::Def64 | Opcode::SkipZ => old,
    })
}

fn average(weight: u64, old: u64, sample: u64) -> Result<u64, Abort> {
    if old == 0 {
        return Ok(sample);
    }
    if let Some(rest) = 10_u64.checked_sub(weight) {
        let sum = u128::from(weight) * u128::from(old) + u128::from(rest) * u128::from(sample);
        // An average is no greater than both.
        return Ok(u64::try_from(sum / 10).unwrap_or(u64::MAX));
    }
    let product = |one: u64, other: u64| one.checked_mul(other).ok_or(Abort::MulOverflow);
    let (more, less) = (product(weight, old)?, product(weight - 10, sample)?);
    Ok(more.checked_sub(less).ok_or(Abort::SubUnderflow)? / 10)
}

/// The later of two serial numbers.
fn later(left: u64, right: u64) -> u64 {
    match (left, right) {
        (0, value) | (value, 0) => value,
        (left, right) => {
            let [left, right] = [left, right].map(|value| value as u32);
            let ahead = left.wrapping_sub(right) < right.wrapping_sub(left);
            if ahead { left } else { right }.into()
        }
    }
}

/// The line of each list of a source: of its declarations, if it has some, and
/// its clauses.
fn lists(source: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    let mut depth = 0_usize;
    for (number, line) in (1..).zip(source.split('\n')) {
        let code = line.split('#').next().unwrap_or(line);
        for symbol in code.chars() {
            match symbol {
                '(' => {
                    lines.extend((depth == 0).then_some(number));
                    depth += 1;
                }
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::{Form, ProgramFile},
        program::{acks::Ack, load::Loaded, run::machine::Machine},
    };
    use std::path::{Path, PathBuf};

    /// Aborts of all kinds, and each way past them.
    const WILD: &str = "(def (Report (volatile a 0) (b 5)) (c 3) (m 0))
        # when (not a clause)
        (when (&& (> Ack.now 3) (|| Flow.was_timeout (== (/ Cwnd Flow.lost) 2)))
            (:= Report.a (ewma 15 Report.a Flow.srtt_us)) (fallthrough))
        (when (> (- Cwnd Rate) Ack.bytes_acked) (:= Micros 7))
        ( when true (:= m (wrapped_max m Flow.mss))
            (If Flow.in_recovery (:= c (+ c (max Flow.ssthresh 4000000000000000000)))
                (else (:= m (* Report.b Micros))))
            (:= Report.b (ewma 7 Report.b (max c (if Flow.app_limited 9)))) (report))";

    fn load(path: &Path, text: Option<&str>) -> Loaded {
        if let Some(text) = text {
            std::fs::write(path, text).expect("written");
        }
        let file = ProgramFile {
            file: path.to_owned(),
            optimise: 1,
        };
        let loaded = Loaded::read(Form::default(), &file).expect("it compiles");
        if text.is_some() {
            std::fs::remove_file(path).expect("removed");
        }
        loaded
    }

    /// The instructions abort where what the interpreter made of them does.
    #[test]
    fn aborts_are_found_and_no_others() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../lang/tests/programs");
        let entries = std::fs::read_dir(folder).expect("the programs");
        let files: Vec<PathBuf> = entries.map(|entry| entry.expect("one").path()).collect();
        let mut programs: Vec<Loaded> = files.iter().map(|path| load(path, None)).collect();
        assert!(programs.len() >= 20);
        let path = std::env::temp_dir().join(format!("ccpctl-place-{}.ccp", std::process::id()));
        programs.push(load(&path, Some(WILD)));
        let mut random = 1_u64;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Of every size.
            let by = u32::try_from(random % 96).expect("small");
            random.rotate_left(29).checked_shr(by).unwrap_or(0)
        };
        let mut seen = Vec::new();
        for loaded in &programs {
            let layout = loaded.verify(Form::default()).expect("it passes");
            let (program, source) = loaded.plain();
            let plain = Plain::new(program, loaded.names.clone(), source);
            let mut machine = Machine::new(loaded, layout);
            let mut now = 0;
            let wild = loaded.file == path.display().to_string();
            for line in 0..if wild { 20_000 } else { 1000 } {
                now += next() % 100_000;
                let mut primitives = std::array::from_fn(|_| next());
                primitives[ccp_core::vm::isa::primitive::ACK_NOW] = now;
                let ack = Ack {
                    line,
                    primitives,
                    cwnd: None,
                    rate: None,
                };
                (machine.cwnd, machine.rate) = (next(), next());
                let ran = machine.invoke(&ack);
                let mut registers = Registers {
                    before: &|reg| machine.before(reg),
                    written: HashMap::new(),
                };
                let found = plain.run(&mut registers);
                assert_eq!(
                    found.map(|(_, _, abort)| abort),
                    ran.abort,
                    "{}",
                    loaded.file
                );
                if let Some(abort) = ran.abort {
                    let place = plain.find(abort, &|reg| machine.before(reg));
                    let place = place.expect("a place");
                    seen.extend(wild.then_some(place));
                }
            }
        }
        // The last program: each clause, by its line.
        let mut lines: Vec<_> = seen.iter().map(|place| (place.event, place.line)).collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines, [(0, Some(3)), (1, Some(5)), (2, Some(6))]);
        for operation in ["DIV ", "EWMA ", "SUB ", "ADD ", "MUL "] {
            let found = seen
                .iter()
                .any(|place| place.operation.starts_with(operation));
            assert!(found, "{operation}");
        }
    }
}
