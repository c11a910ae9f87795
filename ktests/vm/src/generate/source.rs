// SPDX-License-Identifier: GPL-2.0
//! Random programs in the language of portus.

use std::fmt::Write as _;

use fastrand::Rng;

use super::{one_in, pick};

/// Operations, each of which takes a tmp register, that libccp has room for.
const TMPS: u32 = 8;
/// Most that portus accepts.
const MAX_TMPS: u32 = 16;
/// Most local variables that portus accepts.
const MAX_LOCALS: usize = 6;

const NUMBERS: &[&str] = &[
    "Ack.bytes_acked",
    "Ack.bytes_misordered",
    "Ack.ecn_bytes",
    "Ack.ecn_packets",
    "Ack.lost_pkts_sample",
    "Ack.now",
    "Ack.packets_acked",
    "Ack.packets_misordered",
    "Flow.bytes_in_flight",
    "Flow.bytes_pending",
    "Flow.packets_in_flight",
    "Flow.rate_incoming",
    "Flow.rate_outgoing",
    "Flow.rtt_sample_us",
];

/// A program in source form and what can be set in it.
pub struct Source {
    /// Its text.
    pub text: String,
    /// Its control variables.
    pub controls: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Num,
    Bool,
}

#[derive(Clone)]
struct Variable {
    name: String,
    of: Type,
}

struct Writer<'r> {
    rng: &'r mut Rng,
    out: String,
    reports: Vec<Variable>,
    controls: Vec<Variable>,
    locals: Vec<Variable>,
    /// Tmp registers left in this statement, and at its start.
    tmps: u32,
    max_tmps: u32,
    /// What the language here takes otherwise is written too.
    odd: bool,
}

/// A program that portus compiles.
pub fn source(rng: &mut Rng) -> Source {
    let max_tmps = if one_in(rng, 24) { MAX_TMPS } else { TMPS };
    let odd = one_in(rng, 16);
    let mut writer = Writer {
        rng,
        out: String::new(),
        reports: Vec::new(),
        controls: Vec::new(),
        locals: Vec::new(),
        tmps: 0,
        max_tmps,
        odd,
    };
    writer.program();
    let controls = writer.controls.into_iter().map(|c| c.name).collect();
    Source {
        text: writer.out,
        controls,
    }
}

impl Writer<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn put_one(&mut self, texts: &[&str]) {
        let text = pick(self.rng, texts);
        self.put(text);
    }

    fn program(&mut self) {
        self.definitions();
        let count = if one_in(self.rng, 8) { 12 } else { 5 };
        for _ in 0..=self.rng.u32(..count) {
            self.put("\n(when ");
            self.tmps = self.max_tmps;
            match self.rng.u32(..8) {
                0..3 => self.put("true"),
                3 if self.odd => self.put("false"),
                _ => self.truth(3),
            }
            for _ in 0..=self.rng.u32(..8) {
                self.put("\n  ");
                self.tmps = self.max_tmps;
                self.statement();
            }
            self.put(")");
        }
    }

    fn definitions(&mut self) {
        let most = if one_in(self.rng, 4) { 17 } else { 6 };
        let members = self.rng.u32(..most);
        let flat = self.rng.u32(..3).min(16 - members);
        let controls = self.rng.u32(..most);
        self.put("(def");
        if members > 0 {
            self.put(" (Report");
            for _ in 0..members {
                let variable = self.declare("", "Report.");
                self.reports.push(variable);
            }
            self.put(")");
        }
        for _ in 0..flat {
            let variable = self.declare("Report.", "");
            self.reports.push(variable);
        }
        for _ in 0..controls {
            let prefix = pick(self.rng, &["c_", "c_", "Control."]);
            let variable = self.declare(prefix, "");
            self.controls.push(variable);
        }
        self.put(")");
    }

    /// Writes a declaration of a name that begins with `prefix`, and is known
    /// with `implied` before it. Now and then it is declared a second time, or
    /// hides one of the datapath: the later and nearer one counts.
    fn declare(&mut self, prefix: &str, implied: &str) -> Variable {
        let known: Vec<&Variable> = self.reports.iter().chain(&self.controls).collect();
        let word = pick(self.rng, &["acked", "rtt", "loss", "state", "x_", "Z9"]);
        let mut name = format!("{prefix}{word}{}", known.len());
        let mut of = if one_in(self.rng, 5) {
            Type::Bool
        } else {
            Type::Num
        };
        if one_in(self.rng, 96) {
            let again = known.iter().map(|v| v.name.as_str());
            let again = again.filter_map(|known| known.strip_prefix(implied));
            if let Some(again) = again.filter(|known| known.starts_with(prefix)).last() {
                name = again.to_owned();
            }
        } else if prefix == "c_" && one_in(self.rng, 128) {
            name = pick(self.rng, &["Cwnd", "Rate", "Ack.now"]).to_owned();
            of = Type::Num;
        }
        let volatile = if self.rng.bool() { "volatile " } else { "" };
        let value = match of {
            Type::Bool => pick(self.rng, &["true", "false"]).to_owned(),
            Type::Num => match self.rng.u32(..16) {
                0 | 1 => "+infinity".to_owned(),
                2 if self.odd => "1073741823".to_owned(),
                _ => self.literal(),
            },
        };
        let _: Result<(), _> = write!(self.out, " ({volatile}{name} {value})");
        let name = format!("{implied}{name}");
        self.reports.retain(|known| known.name != name);
        self.controls.retain(|known| known.name != name);
        Variable { name, of }
    }

    fn literal(&mut self) -> String {
        let value = match self.rng.u32(..8) {
            0..5 => self.rng.u32(..8),
            5..7 => self.rng.u32(..1 << 20),
            _ => self.rng.u32(..1 << 31),
        };
        value.to_string()
    }

    fn statement(&mut self) {
        match self.rng.u32(..32) {
            0..16 => self.assignment(3),
            16..22 => {
                // (:= x (+ x e)) and the like, as the published programs have.
                let target = self.variable(Type::Num);
                let operator = pick(self.rng, &["+", "+", "max", "min", "add"]);
                self.tmps -= 1;
                self.put(&format!("(:= {target} ({operator} {target} "));
                self.number(2);
                self.put("))");
            }
            22..24 => self.put("(:= Micros 0)"),
            24 if self.odd => {
                self.put("(:= Micros ");
                self.number(2);
                self.put(")");
            }
            25..29 => self.put("(report)"),
            29 | 30 => self.put("(fallthrough)"),
            31 if self.odd => match self.rng.u32(..3) {
                0 => self.number(2),
                1 => self.truth(2),
                _ => {
                    self.put("(:= ");
                    self.operation(Type::Num, 1);
                    self.put(" 3)");
                }
            },
            _ => self.assignment(2),
        }
    }

    /// `(:= x e)`
    fn assignment(&mut self, depth: u32) {
        self.put_one(&["(:= ", "(:= ", "(bind "]);
        let of = if one_in(self.rng, 5) {
            Type::Bool
        } else {
            Type::Num
        };
        match self.rng.u32(..16) {
            // Only these take what depends on the old value.
            0..4 if !self.reports.is_empty() || !self.controls.is_empty() => {
                let of = self.declared();
                self.put(" ");
                self.choice_or_average(of, depth);
            }
            4 | 5 => {
                self.put_one(&["Cwnd ", "Rate "]);
                self.storable(Type::Num, depth);
            }
            6 if self.locals.len() < MAX_LOCALS => self.new_local(of, depth),
            7 if self.odd => {
                // A number into a truth value or the reverse.
                let (target, value) = match of {
                    Type::Num => (Type::Bool, Type::Num),
                    Type::Bool => (Type::Num, Type::Bool),
                };
                let target = self.variable(target);
                self.put(&format!("{target} "));
                self.storable(value, depth);
            }
            _ => {
                let target = self.variable(of);
                self.put(&format!("{target} "));
                self.storable(of, depth);
            }
        }
        self.put(")");
    }

    fn new_local(&mut self, of: Type, depth: u32) {
        let name = format!(
            "l{}{}",
            self.locals.len(),
            pick(self.rng, &["", "_tmp", ".v"])
        );
        self.put(&format!("{name} "));
        self.storable(of, depth);
        self.locals.push(Variable { name, of });
    }

    /// Writes a report or control variable and returns its type.
    fn declared(&mut self) -> Type {
        let known = self.reports.len() + self.controls.len();
        let at = self.rng.usize(..known);
        let variable = self.reports.iter().chain(&self.controls).nth(at);
        let variable = variable.expect("within both").clone();
        self.put(&variable.name);
        variable.of
    }

    fn choice_or_average(&mut self, of: Type, depth: u32) {
        if of == Type::Num && one_in(self.rng, 3) {
            let weight = match self.rng.u32(..16) {
                0 if self.odd => self.rng.u32(..30),
                _ => self.rng.u32(..11),
            };
            self.put(&format!("(ewma {weight} "));
        } else {
            self.put_one(&["(if ", "(!if "]);
            self.truth(1);
            self.put(" ");
        }
        self.storable(of, depth - 1);
        self.put(")");
    }

    /// The name of a variable of this type that can be assigned and was before,
    /// if it is a local one; `Rate` if there is none.
    fn variable(&mut self, of: Type) -> String {
        let all = self.reports.iter().chain(&self.controls);
        let all = all.chain(&self.locals).filter(|v| v.of == of);
        let count = all.clone().count();
        let at = self.rng.usize(..count.max(1));
        let variable = all.clone().nth(at);
        variable.map_or("Rate".to_owned(), |v| v.name.clone())
    }

    /// An expression whose value both languages have alike: portus' `||` of two
    /// truths is 2.
    fn storable(&mut self, of: Type, depth: u32) {
        match of {
            Type::Num => self.number(depth),
            Type::Bool if self.odd => self.truth(depth),
            Type::Bool => match self.rng.u32(..4) {
                0 => self.put_one(&["true", "false"]),
                1 => self.put("Flow.was_timeout"),
                _ => self.comparison(depth),
            },
        }
    }

    fn number(&mut self, depth: u32) {
        if depth == 0 || self.tmps == 0 || one_in(self.rng, 3) {
            match self.rng.u32(..32) {
                0..12 => self.put_one(NUMBERS),
                12..24 => {
                    let name = self.variable(Type::Num);
                    self.put(&name);
                }
                24..28 => {
                    let literal = self.literal();
                    self.put(&literal);
                }
                28 => self.put("+infinity"),
                _ => self.put_one(&["Micros", "Cwnd", "Rate"]),
            }
        } else if one_in(self.rng, 48) {
            let name = self.variable(Type::Num);
            self.put(&format!("(:= {name} "));
            self.number(depth - 1);
            self.put(")");
        } else {
            self.operation(Type::Num, depth);
        }
    }

    /// An expression that compiles to a truth value in a tmp register.
    fn truth(&mut self, depth: u32) {
        if depth > 0 && self.tmps > 3 && one_in(self.rng, 3) {
            self.operation(Type::Bool, depth);
        } else {
            self.comparison(depth);
        }
    }

    fn comparison(&mut self, depth: u32) {
        if self.tmps == 0 {
            self.put("true");
            return;
        }
        self.tmps -= 1;
        let operator = pick(self.rng, &[">", "<", "==", "gt", "lt", "eq"]);
        self.put(&format!("({operator} "));
        self.number(depth.min(2));
        self.put(" ");
        self.number(depth.min(1));
        self.put(")");
    }

    fn operation(&mut self, of: Type, depth: u32) {
        self.tmps = self.tmps.saturating_sub(1);
        if of == Type::Bool {
            self.put_one(&["(&& ", "(|| ", "(and ", "(or "]);
            for separator in [" ", ")"] {
                match self.rng.u32(..8) {
                    0 => self.put("Flow.was_timeout"),
                    1 => self.put_one(&["true", "false"]),
                    2 if self.any_bool() => {
                        let name = self.variable(Type::Bool);
                        self.put(&name);
                    }
                    _ => self.truth(depth - 1),
                }
                self.put(separator);
            }
            return;
        }
        match self.rng.u32(..16) {
            0 if self.tmps > 0 => {
                self.tmps -= 1;
                self.put("(- (max ");
                self.number(depth - 1);
                self.put(" 2) 2)");
            }
            1..4 => {
                let operator = pick(self.rng, &["/", "*", "div", "mul"]);
                self.put(&format!("({operator} "));
                self.number(depth - 1);
                let by = 1 + self.rng.u32(..10);
                self.put(&format!(" {by})"));
            }
            kind => {
                let operator = match kind {
                    4 => pick(self.rng, &["-", "*", "/", "sub"]),
                    5 => "wrapped_max",
                    _ => pick(self.rng, &["+", "+", "add", "max", "min"]),
                };
                self.put(&format!("({operator} "));
                self.number(depth - 1);
                self.put(" ");
                self.number(depth - 1);
                self.put(")");
            }
        }
    }

    fn any_bool(&self) -> bool {
        let all = self.reports.iter().chain(&self.controls);
        all.chain(&self.locals).any(|v| v.of == Type::Bool)
    }
}
