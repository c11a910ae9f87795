// SPDX-License-Identifier: GPL-2.0
//! Steps to instructions.

use ccp_core::vm::isa::{
    implicit, Class, Event, Instruction, Opcode, Reg, MAX_EVENTS, MAX_INSTRUCTIONS, TMPS,
};

use crate::ast::Span;
use crate::diagnostic::Diagnostic;
use crate::flat::{self, Block, If, Operand, Place, Program, Set, Step, Value};
use crate::ir::Definition;
use crate::tmps::{Tmps, Uses};

const FLAG: Reg = Reg::new(Class::Implicit, implicit::EVENT_FLAG);

/// Initial values that DEF cannot say: libccp takes these 30 bits for
/// infinity.
const DEF_INFINITY: u64 = 0x3fff_ffff;

/// A program as instructions, each with the source it comes from.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(crate) instructions: Vec<Instruction>,
    pub(crate) spans: Vec<Span>,
    pub(crate) events: Vec<Event>,
    /// Tmp registers it uses.
    pub(crate) tmps: u32,
    /// Where there were too few of them.
    pub(crate) exhausted: Vec<Span>,
}

/// Generates code. Without `tmps` each statement counts its intermediate values
/// from 0, as portus does; otherwise as many registers serve in turn.
pub(crate) fn lower(program: &Program, tmps: Option<u32>) -> Code {
    let mut lowerer = Lowerer {
        code: Code::default(),
        limit: tmps,
        tmps: Tmps::default(),
        uses: Uses::default(),
        at: 0,
        span: 0..0,
    };
    for definition in &program.definitions {
        lowerer.definition(definition);
    }
    for event in &program.events {
        lowerer.event(event);
    }
    lowerer.code
}

/// Says which of the limits `code` passes, if any.
pub(crate) fn limits(program: &Program, code: &Code, diagnostics: &mut Vec<Diagnostic>) {
    for span in &code.exhausted {
        diagnostics.push(
            Diagnostic::error(
                "E0404",
                span.clone(),
                format!("this needs more than {TMPS} intermediate values at once"),
            )
            .help("assign parts of it to variables first"),
        );
    }
    if let Some(event) = program.events.get(MAX_EVENTS) {
        diagnostics.push(
            Diagnostic::error(
                "E0405",
                event.span.clone(),
                format!("this is one clause too many: there are at most {MAX_EVENTS}"),
            )
            .help("combine clauses with `(If condition statements...)`"),
        );
    }
    if let Some(span) = code.spans.get(MAX_INSTRUCTIONS) {
        diagnostics.push(
            Diagnostic::error(
                "E0406",
                span.clone(),
                format!(
                    "the program has {} instructions, here it passes the {MAX_INSTRUCTIONS} there may be",
                    code.spans.len()
                ),
            )
            .help("keep repeated values in variables, or let userspace do part of the work"),
        );
    }
}

struct Lowerer {
    code: Code,
    limit: Option<u32>,
    tmps: Tmps,
    uses: Uses,
    /// Steps and tests done in this condition or body.
    at: usize,
    /// The source of the instructions being generated.
    span: Span,
}

impl Lowerer {
    fn emit(&mut self, opcode: Opcode, result: Reg, left: Reg, right: Reg) {
        self.code.instructions.push(Instruction {
            opcode,
            result,
            left,
            right,
        });
        self.code.spans.push(self.span.clone());
    }

    fn next(&self) -> u32 {
        index(self.code.instructions.len())
    }

    fn definition(&mut self, definition: &Definition) {
        let Definition { reg, init } = *definition;
        match u32::try_from(init) {
            Ok(value) if init != DEF_INFINITY => {
                self.emit(Opcode::Def, reg, reg, immediate(value));
            }
            _ => {
                let (low, high) = halves(init);
                self.emit(Opcode::Def64, reg, low, high);
            }
        }
    }

    fn event(&mut self, event: &flat::Event) {
        self.span = event.span.clone();
        let cond_start = self.next();
        self.begin(&event.condition, Some(event.test));
        self.condition(event);
        let body_start = self.next();
        self.begin(&event.body, None);
        self.block(&event.body);
        self.end();
        self.code.events.push(Event {
            cond_start,
            cond_count: body_start - cond_start,
            body_start,
            body_count: self.next() - body_start,
        });
    }

    fn begin(&mut self, block: &Block, test: Option<Operand>) {
        self.uses = Uses::new(block, test);
        self.tmps = Tmps::new(self.limit.unwrap_or(TMPS));
        self.at = 0;
    }

    fn end(&mut self) {
        self.code.tmps = self.code.tmps.max(self.tmps.most);
    }

    /// The condition, whose last instruction writes the event flag.
    fn condition(&mut self, event: &flat::Event) {
        let direct = match event.condition.split_last() {
            Some((Step::Set(set), before)) if Operand::from(set.to) == event.test => {
                let simple = matches!(
                    set.value,
                    Value::Copy(_) | Value::Not(_) | Value::Binary(..)
                );
                matches!((set.to, simple), (Place::Temp(_), true)).then_some((set, before))
            }
            _ => None,
        };
        if let Some((last, before)) = direct {
            self.block(before);
            self.set(&Set {
                to: Place::Reg(FLAG),
                ..last.clone()
            });
        } else {
            self.block(&event.condition);
            self.at += 1;
            self.copy(FLAG, event.test);
        }
        self.end();
    }

    fn block(&mut self, steps: &[Step]) {
        for step in steps {
            let span = match step {
                Step::Set(set) => &set.span,
                Step::If(step) => &step.span,
            };
            if *span != self.span {
                self.span = span.clone();
                if self.limit.is_none() {
                    self.tmps.restart();
                }
            }
            match step {
                Step::Set(set) => self.set(set),
                Step::If(step) => self.choice(step),
            }
        }
    }

    fn set(&mut self, set: &Set) {
        self.at += 1;
        match set.value {
            Value::Copy(from) => {
                let source = self.read(from);
                self.end_operands([from]);
                let to = self.place(set.to);
                match (from, source) {
                    (Operand::Const(value), None) => self.wide(to, value),
                    (_, source) => self.bind(to, source.unwrap_or(to)),
                }
            }
            Value::Not(operand) => {
                let source = self.operand(operand);
                self.end_operands([operand]);
                let to = self.place(set.to);
                self.emit(Opcode::Not, to, immediate(0), source);
            }
            Value::Binary(opcode, left, right) => {
                let (l, r) = (self.operand(left), self.operand(right));
                self.end_operands([left, right]);
                let to = self.place(set.to);
                self.emit(opcode, to, l, r);
            }
            Value::Select {
                negate,
                condition,
                value,
                otherwise,
            } => {
                let opcode = if negate { Opcode::NotIf } else { Opcode::If };
                self.update(opcode, set, [condition, value], otherwise);
            }
            Value::Ewma {
                weight,
                state,
                sample,
            } => self.update(Opcode::Ewma, set, [weight, sample], state),
        }
        if let Place::Temp(temp) = set.to {
            self.end_operands([Operand::Temp(temp)]);
        }
        self.check();
    }

    /// An instruction that reads its result, which starts as `old`.
    fn update(&mut self, opcode: Opcode, set: &Set, operands: [Operand; 2], old: Operand) {
        let [left, right] = operands.map(|operand| self.operand(operand));
        let source = self.operand(old);
        // A temporary that ends here can be the one that is updated.
        let own = match old {
            Operand::Temp(temp) if self.uses.ends(temp, self.at) => Some(temp),
            _ => None,
        };
        match (set.to, own) {
            (Place::Reg(reg), _) if source == reg => self.emit(opcode, reg, left, right),
            (Place::Temp(to), Some(from)) => {
                let reg = self.tmps.rename(from, to);
                self.emit(opcode, reg, left, right);
            }
            (Place::Temp(to), None) => {
                let reg = self.tmps.set(to);
                self.bind(reg, source);
                self.emit(opcode, reg, left, right);
            }
            (Place::Reg(reg), None) if !shows(reg, set, [left, right]) => {
                self.bind(reg, source);
                self.emit(opcode, reg, left, right);
            }
            (Place::Reg(reg), Some(_)) => {
                self.emit(opcode, source, left, right);
                self.bind(reg, source);
            }
            (Place::Reg(reg), None) => {
                let scratch = self.tmps.take();
                self.bind(scratch, source);
                self.emit(opcode, scratch, left, right);
                self.bind(reg, scratch);
                self.tmps.free(scratch);
            }
        }
        self.end_operands([operands[0], operands[1], old]);
    }

    fn choice(&mut self, step: &If) {
        let only_second = step.then.is_empty() && !step.otherwise.is_empty();
        let negate = only_second && step.also.is_empty();
        let mut skips = vec![self.test(step.condition, negate)];
        for test in &step.also {
            self.block(&test.steps);
            skips.push(self.test(test.value, false));
        }
        // With nothing to do when true, the branches swap.
        let (first, second) = if negate {
            (&step.otherwise, &step.then)
        } else {
            (&step.then, &step.otherwise)
        };
        self.block(first);
        if second.is_empty() {
            self.land(&skips);
            return;
        }
        let over = self.skip(immediate(0));
        let start = self.code.instructions.len();
        self.block(second);
        if self.code.instructions.len() == start {
            // Nothing to skip over after all: the first skips end here too.
            self.pop();
            self.land(&skips);
        } else {
            self.land_at(&skips, start);
            self.land(&[over]);
        }
    }

    /// Skips what follows unless `condition` holds.
    fn test(&mut self, condition: Operand, negate: bool) -> usize {
        self.at += 1;
        let mut reg = self.operand(condition);
        self.end_operands([condition]);
        if negate {
            let result = self.tmps.take();
            self.emit(Opcode::Not, result, immediate(0), reg);
            self.tmps.free(result);
            reg = result;
        }
        self.check();
        self.skip(reg)
    }

    /// A skip whose length `land` fills in.
    fn skip(&mut self, condition: Reg) -> usize {
        // A skip writes nothing, but its result has to be a register.
        self.emit(Opcode::SkipZ, FLAG, condition, immediate(0));
        self.code.instructions.len() - 1
    }

    /// Lets skips lead to the next instruction; those over nothing go away.
    fn land(&mut self, skips: &[usize]) {
        for &at in skips.iter().rev() {
            if at + 1 == self.code.instructions.len() {
                self.pop();
            } else {
                self.land_at(&[at], self.code.instructions.len());
            }
        }
    }

    fn land_at(&mut self, skips: &[usize], target: usize) {
        for &at in skips {
            self.code.instructions[at].right = immediate(index(target - at - 1));
        }
    }

    fn pop(&mut self) {
        self.code.instructions.pop();
        self.code.spans.pop();
    }

    /// Notes a lack of registers with the statement that meets it.
    fn check(&mut self) {
        if std::mem::take(&mut self.tmps.exhausted)
            && self.code.exhausted.last() != Some(&self.span)
        {
            self.code.exhausted.push(self.span.clone());
        }
    }

    fn copy(&mut self, to: Reg, from: Operand) {
        match (from, self.read(from)) {
            (_, Some(source)) => self.bind(to, source),
            (Operand::Const(value), None) => self.wide(to, value),
            _ => {}
        }
    }

    fn bind(&mut self, to: Reg, from: Reg) {
        self.emit(Opcode::Bind, to, to, from);
    }

    fn wide(&mut self, to: Reg, value: u64) {
        let (low, high) = halves(value);
        self.emit(Opcode::Const, to, low, high);
    }

    fn place(&mut self, place: Place) -> Reg {
        match place {
            Place::Reg(reg) => reg,
            Place::Temp(temp) => self.tmps.set(temp),
        }
    }

    /// Where an operand is read, unless it is a constant of more than 32 bits.
    fn read(&self, operand: Operand) -> Option<Reg> {
        match operand {
            Operand::Const(value) => u32::try_from(value).ok().map(immediate),
            Operand::Reg(reg) => Some(reg),
            Operand::Temp(temp) => Some(self.tmps.get(temp)),
        }
    }

    fn operand(&self, operand: Operand) -> Reg {
        // Only copies have larger constants.
        self.read(operand).unwrap_or(immediate(u32::MAX))
    }

    /// Frees those temporaries that are not read after this.
    fn end_operands<const N: usize>(&mut self, operands: [Operand; N]) {
        for operand in operands {
            if let Operand::Temp(temp) = operand {
                if self.uses.ends(temp, self.at) {
                    self.tmps.end(temp);
                }
            }
        }
    }
}

/// Whether it shows if `reg` has the old value before the update is made: to
/// the operands, or to all when the update aborts.
fn shows(reg: Reg, set: &Set, operands: [Reg; 2]) -> bool {
    operands.contains(&reg) || set.value.can_abort() && reg.class != Class::Tmp
}

fn immediate(value: u32) -> Reg {
    Reg::new(Class::Immediate, value)
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the two halves are what is wanted"
)]
fn halves(value: u64) -> (Reg, Reg) {
    (immediate(value as u32), immediate((value >> 32) as u32))
}

/// Instruction counts beyond 32 bits cannot happen: the source is bounded.
fn index(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
