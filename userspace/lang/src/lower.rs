// SPDX-License-Identifier: GPL-2.0
//! `ir` to instructions.

use ccp_core::vm::isa::{
    implicit, Class, Event, Instruction, Opcode, Reg, MAX_EVENTS, MAX_INSTRUCTIONS, TMPS,
};

use crate::ast::Span;
use crate::diagnostic::Diagnostic;
use crate::ir::{Definition, Program, Stmt, StmtKind, Target, Value};

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
}

/// Generates code. With `fuse`, operators write their results straight to the
/// variable assigned, which portus does in a second instruction.
pub(crate) fn lower(program: &Program, fuse: bool, diagnostics: &mut Vec<Diagnostic>) -> Code {
    let mut lowerer = Lowerer {
        code: Code::default(),
        tmps: Tmps::default(),
        fuse,
        span: 0..0,
    };
    for definition in &program.definitions {
        lowerer.definition(definition);
    }
    for event in &program.events {
        lowerer.event(event, diagnostics);
    }
    limits(program, &lowerer.code, diagnostics);
    lowerer.code
}

fn limits(program: &Program, code: &Code, diagnostics: &mut Vec<Diagnostic>) {
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
    tmps: Tmps,
    fuse: bool,
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

    fn event(&mut self, event: &crate::ir::Event, diagnostics: &mut Vec<Diagnostic>) {
        self.span = event.span.clone();
        let cond_start = self.next();
        self.write(FLAG, &event.condition);
        self.finish_expression(diagnostics);
        let body_start = self.next();
        self.block(&event.body, diagnostics);
        self.code.events.push(Event {
            cond_start,
            cond_count: body_start - cond_start,
            body_start,
            body_count: self.next() - body_start,
        });
    }

    fn block(&mut self, statements: &[Stmt], diagnostics: &mut Vec<Diagnostic>) {
        for statement in statements {
            self.span = statement.span.clone();
            match &statement.kind {
                StmtKind::Flag(reg) => self.bind(*reg, immediate(1)),
                StmtKind::Value(value) => {
                    self.operand(value);
                    self.finish_expression(diagnostics);
                }
                StmtKind::If {
                    condition,
                    then,
                    otherwise,
                } => {
                    let condition = self.branch_condition(condition, then.is_empty());
                    self.finish_expression(diagnostics);
                    // With nothing to do when true, the branches swap.
                    let (first, second): (&[Stmt], &[Stmt]) = if then.is_empty() {
                        (otherwise, &[])
                    } else {
                        (then, otherwise)
                    };
                    self.branches(condition, first, second, diagnostics);
                }
            }
        }
    }

    fn branch_condition(&mut self, condition: &Value, negate: bool) -> Reg {
        let reg = self.operand(condition);
        if !negate {
            return reg;
        }
        self.tmps.free(reg);
        let result = self.tmps.take();
        self.emit(Opcode::Not, result, immediate(0), reg);
        result
    }

    fn branches(
        &mut self,
        condition: Reg,
        first: &[Stmt],
        second: &[Stmt],
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let skip = self.skip(condition);
        self.block(first, diagnostics);
        if second.is_empty() {
            self.land(skip);
            return;
        }
        let over = self.skip(immediate(0));
        self.land(skip);
        let second_start = self.code.instructions.len();
        self.block(second, diagnostics);
        if self.code.instructions.len() == second_start {
            // Nothing to skip over after all: the first skip ends here too.
            self.code.instructions.pop();
            self.code.spans.pop();
            self.land(skip);
        } else {
            self.land(over);
        }
    }

    /// A skip whose length `land` fills in.
    fn skip(&mut self, condition: Reg) -> usize {
        // A skip writes nothing, but its result has to be a register.
        self.emit(Opcode::SkipZ, FLAG, condition, immediate(0));
        self.code.instructions.len() - 1
    }

    /// Lets the skip at `at` lead to the next instruction; one over nothing
    /// goes away.
    fn land(&mut self, at: usize) {
        let length = self.code.instructions.len() - at - 1;
        if length == 0 {
            self.code.instructions.pop();
            self.code.spans.pop();
        } else {
            self.code.instructions[at].right = immediate(index(length));
        }
    }

    /// Ends a statement: its temporaries are free again.
    fn finish_expression(&mut self, diagnostics: &mut Vec<Diagnostic>) {
        if std::mem::take(&mut self.tmps).exhausted {
            diagnostics.push(
                Diagnostic::error(
                    "E0404",
                    self.span.clone(),
                    format!("this needs more than {TMPS} intermediate values at once"),
                )
                .help("assign parts of it to variables first"),
            );
        }
    }

    fn bind(&mut self, result: Reg, value: Reg) {
        self.emit(Opcode::Bind, result, result, value);
    }

    /// Computes `value` and says where it can be read.
    fn operand(&mut self, value: &Value) -> Reg {
        match value {
            Value::Const(value) => {
                if let Ok(value) = u32::try_from(*value) {
                    return immediate(value);
                }
                let result = self.tmps.take();
                self.wide(result, *value);
                result
            }
            Value::Reg(reg) => *reg,
            Value::Not(operand) => {
                let operand = self.operand(operand);
                self.tmps.free(operand);
                let result = self.tmps.take();
                self.emit(Opcode::Not, result, immediate(0), operand);
                result
            }
            Value::Binary(opcode, left, right) => {
                let (left, right) = self.pair(left, right);
                let result = self.tmps.take();
                self.emit(*opcode, result, left, right);
                result
            }
            Value::Assign(target, value) => self.assign(target, value),
            Value::Select {
                negate,
                condition,
                value,
                otherwise,
            } => {
                let condition = self.operand(condition);
                let value = self.operand(value);
                let otherwise = self.operand(otherwise);
                let result = self.copy(otherwise);
                self.emit(select(*negate), result, condition, value);
                self.tmps.free(condition);
                self.tmps.free(value);
                result
            }
            Value::Ewma {
                weight,
                state,
                sample,
            } => {
                let weight = self.operand(weight);
                let state = self.operand(state);
                let sample = self.operand(sample);
                let result = self.copy(state);
                self.emit(Opcode::Ewma, result, weight, sample);
                self.tmps.free(weight);
                self.tmps.free(sample);
                result
            }
        }
    }

    /// Both operands, whose temporaries the result may take.
    fn pair(&mut self, left: &Value, right: &Value) -> (Reg, Reg) {
        let left = self.operand(left);
        let right = self.operand(right);
        self.tmps.free(left);
        self.tmps.free(right);
        (left, right)
    }

    /// A temporary with the value of `reg`: itself, if it is one.
    fn copy(&mut self, reg: Reg) -> Reg {
        if reg.class == Class::Tmp {
            return reg;
        }
        let result = self.tmps.take();
        self.bind(result, reg);
        result
    }

    fn wide(&mut self, result: Reg, value: u64) {
        let (low, high) = halves(value);
        self.emit(Opcode::Const, result, low, high);
    }

    fn assign(&mut self, target: &Target, value: &Value) -> Reg {
        match target {
            Target::Reg(reg) => self.set(*reg, value),
            Target::Assigned(reg, first) => {
                self.operand(first);
                self.set(*reg, value);
            }
            Target::Nowhere(first) => {
                let first = self.operand(first);
                let value = self.operand(value);
                self.tmps.free(value);
                let result = self.copy(first);
                self.bind(result, value);
                return result;
            }
        }
        match target {
            Target::Reg(reg) | Target::Assigned(reg, _) => *reg,
            Target::Nowhere(_) => immediate(0),
        }
    }

    /// Computes `value` and assigns it to `reg`.
    fn set(&mut self, reg: Reg, value: &Value) {
        let moves = matches!(
            value,
            Value::Select { otherwise, .. } if **otherwise == Value::Reg(reg)
        ) || matches!(value, Value::Ewma { state, .. } if **state == Value::Reg(reg));
        if self.fuse || moves || matches!(value, Value::Const(_)) {
            self.write(reg, value);
        } else {
            let value = self.operand(value);
            self.tmps.free(value);
            self.bind(reg, value);
        }
    }

    /// Computes `value` with the last instruction writing `reg`.
    fn write(&mut self, reg: Reg, value: &Value) {
        match value {
            Value::Const(value) if *value > u64::from(u32::MAX) => self.wide(reg, *value),
            Value::Not(operand) => {
                let operand = self.operand(operand);
                self.tmps.free(operand);
                self.emit(Opcode::Not, reg, immediate(0), operand);
            }
            Value::Binary(opcode, left, right) => {
                let (left, right) = self.pair(left, right);
                self.emit(*opcode, reg, left, right);
            }
            Value::Select {
                negate,
                condition,
                value,
                otherwise,
            } if **otherwise == Value::Reg(reg) => {
                let (condition, value) = self.pair(condition, value);
                self.emit(select(*negate), reg, condition, value);
            }
            Value::Ewma {
                weight,
                state,
                sample,
            } if **state == Value::Reg(reg) => {
                let (weight, sample) = self.pair(weight, sample);
                self.emit(Opcode::Ewma, reg, weight, sample);
            }
            _ => {
                let value = self.operand(value);
                self.tmps.free(value);
                self.bind(reg, value);
            }
        }
    }
}

fn select(negate: bool) -> Opcode {
    if negate {
        Opcode::NotIf
    } else {
        Opcode::If
    }
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

/// Temporaries of one expression. Numbers are used once, as portus does, until
/// they run out; then free ones again.
#[derive(Default)]
struct Tmps {
    next: u32,
    free: Vec<u32>,
    exhausted: bool,
}

impl Tmps {
    fn take(&mut self) -> Reg {
        let index = if self.next < TMPS {
            self.next += 1;
            self.next - 1
        } else if let Some(free) = self.free.pop() {
            free
        } else {
            self.exhausted = true;
            0
        };
        Reg::new(Class::Tmp, index)
    }

    fn free(&mut self, reg: Reg) {
        if reg.class == Class::Tmp {
            self.free.push(reg.index);
        }
    }
}
