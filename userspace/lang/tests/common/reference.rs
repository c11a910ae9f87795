// SPDX-License-Identifier: GPL-2.0
//! The language as docs/language.md reads, straight from the source text: no
//! registers, no instructions, nothing prepared.
//!
//! It takes well-formed programs only.

use std::collections::{BTreeMap, HashMap};

use ccp_core::vm::{isa, Abort, Input, Outcome};

/// A list or a word.
#[derive(Clone, Debug)]
enum Node {
    Word(String),
    List(Vec<Node>),
}

impl Node {
    fn word(&self) -> &str {
        match self {
            Node::Word(word) => word,
            Node::List(_) => "",
        }
    }

    fn list(&self) -> &[Node] {
        match self {
            Node::List(items) => items,
            Node::Word(_) => &[],
        }
    }

    fn head(&self) -> &str {
        self.list().first().map_or("", Node::word)
    }
}

fn read(source: &str) -> Vec<Node> {
    let mut stack = vec![Vec::new()];
    for line in source.lines() {
        let code = line.split('#').next().unwrap_or("");
        let spaced = code.replace('(', " ( ").replace(')', " ) ");
        for word in spaced.split_whitespace() {
            match word {
                "(" => stack.push(Vec::new()),
                ")" => {
                    let list = Node::List(stack.pop().expect("balanced"));
                    stack.last_mut().expect("balanced").push(list);
                }
                _ => stack
                    .last_mut()
                    .expect("balanced")
                    .push(Node::Word(word.to_owned())),
            }
        }
    }
    assert_eq!(stack.len(), 1, "unbalanced: {source}");
    stack.remove(0)
}

fn literal(word: &str) -> Option<u64> {
    let units = [
        ("ms", 1000, 1),
        ("us", 1, 1),
        ("s", 1_000_000, 1),
        ("Kbps", 1000, 8),
        ("Mbps", 1_000_000, 8),
        ("KB", 1024, 1),
    ];
    match word {
        "true" => return Some(1),
        "false" => return Some(0),
        "+infinity" => return Some(u64::from(u32::MAX)),
        _ => {}
    }
    word.parse().ok().or_else(|| {
        let (digits, times, over) = units.iter().find_map(|(unit, times, over)| {
            let digits: u64 = word.strip_suffix(unit)?.parse().ok()?;
            Some((digits, times, over))
        })?;
        Some(digits * times / over)
    })
}

/// Where an operand is read when its operator runs.
enum Operand {
    Value(u64),
    Variable(String),
}

/// A flow that runs one program.
pub struct Reference {
    clauses: Vec<Node>,
    /// Names of report variables in order, and of control variables.
    pub reports: Vec<String>,
    pub controls: Vec<String>,
    locals: Vec<String>,
    initial: BTreeMap<String, (u64, bool)>,
    variables: HashMap<String, u64>,
    base: u64,
    now: u64,
}

impl Reference {
    pub fn new(source: &str, now: u64) -> Self {
        let mut flow = Self {
            clauses: Vec::new(),
            reports: Vec::new(),
            controls: Vec::new(),
            locals: Vec::new(),
            initial: BTreeMap::new(),
            variables: HashMap::new(),
            base: now,
            now,
        };
        let mut nodes = read(source);
        let definitions = nodes.remove(0);
        for node in &definitions.list()[1..] {
            match node.head() {
                "Report" if !node.list()[1..].iter().any(|n| n.list().is_empty()) => {
                    for member in &node.list()[1..] {
                        let name = flow.declare(member, "Report.");
                        flow.reports.push(name);
                    }
                }
                "Local" if !node.list()[1..].iter().any(|n| n.list().is_empty()) => {
                    let name = |n: &Node| n.list()[0].word().to_owned();
                    flow.locals.extend(node.list()[1..].iter().map(name));
                }
                _ => {
                    let name = flow.declare(node, "");
                    flow.controls.push(name);
                }
            }
        }
        // Flat report variables come after the members.
        let (flat, controls) = std::mem::take(&mut flow.controls)
            .into_iter()
            .partition(|name| name.starts_with("Report."));
        flow.reports.extend::<Vec<_>>(flat);
        flow.controls = controls;
        for node in &nodes {
            flow.mention(node);
        }
        flow.clauses = nodes;
        flow
    }

    /// Replaces the program; locals stay, under the same numbers.
    pub fn switch(&mut self, source: &str, now: u64) {
        let values: Vec<u64> = (0..8).map(|index| self.local(index)).collect();
        *self = Self::new(source, now);
        for (name, value) in self.locals.iter().zip(values.clone()) {
            self.variables.insert(name.clone(), value);
        }
        // Those this program does not name keep theirs as well.
        for (index, value) in values.into_iter().enumerate().skip(self.locals.len()) {
            self.variables.insert(format!("__local{index}"), value);
        }
    }

    pub fn local(&self, index: usize) -> u64 {
        match self.locals.get(index) {
            Some(name) => self.get(name),
            None => self.get(&format!("__local{index}")),
        }
    }

    fn declare(&mut self, node: &Node, prefix: &str) -> String {
        let volatile = node.list().len() == 3;
        let [.., name, value] = node.list() else {
            panic!("a declaration: {node:?}");
        };
        let name = format!("{prefix}{}", name.word());
        let value = literal(value.word()).expect("a value");
        self.initial.insert(name.clone(), (value, volatile));
        self.variables.insert(name.clone(), value);
        name
    }

    /// Finds locals: undeclared names, in order of mention.
    fn mention(&mut self, node: &Node) {
        match node {
            Node::Word(name) => {
                let known = self.initial.contains_key(name)
                    || self.locals.contains(name)
                    || literal(name).is_some()
                    || isa::implicit::NAMES.contains(&name.as_str())
                    || isa::primitive::NAMES.contains(&name.as_str());
                if !known {
                    self.locals.push(name.clone());
                }
            }
            Node::List(items) => items[1..].iter().for_each(|item| self.mention(item)),
        }
    }

    pub fn get(&self, name: &str) -> u64 {
        self.variables.get(name).copied().unwrap_or(0)
    }

    pub fn set(&mut self, name: &str, value: u64) {
        self.variables.insert(name.to_owned(), value);
        if name == "Micros" {
            self.base = self.now.wrapping_sub(value);
        }
    }

    pub fn reset_volatile(&mut self) {
        for (name, (value, volatile)) in self.initial.clone() {
            if volatile {
                self.set(&name, value);
            }
        }
    }

    pub fn run(&mut self, input: &Input) -> Outcome {
        for (name, value) in isa::primitive::NAMES.iter().zip(input.primitives) {
            let none = *name == "Flow.rtt_sample_us" && value == 0;
            let value = if none { u64::from(u32::MAX) } else { value };
            self.set(name, value);
        }
        self.now = input.now_us;
        let micros = input.now_us.wrapping_sub(self.base);
        self.variables.insert("Micros".to_owned(), micros);
        self.set("Cwnd", input.cwnd);
        self.set("Rate", input.rate);
        self.set("(report)", 0);
        self.set("(fallthrough)", 0);
        match self.clauses() {
            Err(abort) => Outcome {
                abort: Some(abort),
                ..Outcome::default()
            },
            Ok(()) => Outcome {
                cwnd: self.get("Cwnd"),
                rate: self.get("Rate"),
                report: self.get("(report)") != 0,
                abort: None,
            },
        }
    }

    fn clauses(&mut self) -> Result<(), Abort> {
        for clause in self.clauses.clone() {
            let [_, condition, body @ ..] = clause.list() else {
                panic!("a clause: {clause:?}");
            };
            if self.value(condition, None)? != 0 {
                self.block(body)?;
                if self.get("(fallthrough)") == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    fn block(&mut self, statements: &[Node]) -> Result<(), Abort> {
        statements.iter().try_for_each(|s| self.statement(s))
    }

    fn statement(&mut self, node: &Node) -> Result<(), Abort> {
        match (node.head(), node.list()) {
            ("report" | "fallthrough", [command]) => {
                self.set(&format!("({})", command.word()), 1);
            }
            ("If", [_, condition, body @ ..]) => {
                let (then, otherwise): (&[Node], &[Node]) = match body.split_last() {
                    Some((last, then)) if last.head() == "else" => (then, &last.list()[1..]),
                    _ => (body, &[]),
                };
                let chosen = self.value(condition, None)? != 0;
                self.block(if chosen { then } else { otherwise })?;
            }
            ("if" | "!if", [head, condition, then, otherwise @ ..]) => {
                let chosen = (self.value(condition, None)? != 0) == (head.word() == "if");
                match (chosen, otherwise) {
                    (true, _) => self.statement(then)?,
                    (false, [otherwise]) => self.statement(otherwise)?,
                    (false, _) => {}
                }
            }
            _ => {
                self.operand(node, None)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, node: &Node, target: Option<&str>) -> Result<u64, Abort> {
        let operand = self.operand(node, target)?;
        Ok(self.fetch(&operand))
    }

    fn fetch(&self, operand: &Operand) -> u64 {
        match operand {
            Operand::Value(value) => *value,
            Operand::Variable(name) => self.get(name),
        }
    }

    /// `target` is that of the nearest assignment around `node`.
    fn operand(&mut self, node: &Node, target: Option<&str>) -> Result<Operand, Abort> {
        let items = match node {
            Node::Word(word) => {
                return Ok(match literal(word) {
                    Some(value) => Operand::Value(value),
                    None => Operand::Variable(word.clone()),
                })
            }
            Node::List(items) => items,
        };
        let (head, rest) = (items[0].word(), &items[1..]);
        if matches!(head, ":=" | "bind") {
            return self.assign(&rest[0], &rest[1]);
        }
        let mut operands = Vec::new();
        if matches!(head, "if" | "!if" | "ewma") {
            for item in rest {
                operands.push(self.operand(item, target)?);
            }
            let old = || target.map_or(Operand::Value(0), |t| Operand::Variable(t.to_owned()));
            if operands.len() == 2 {
                let place = if head == "ewma" { 1 } else { 2 };
                operands.insert(place, old());
            }
            let values: Vec<u64> = operands.iter().map(|o| self.fetch(o)).collect();
            return match head {
                "ewma" => ewma(values[0], values[1], values[2]),
                "if" => Ok(if values[0] != 0 { values[1] } else { values[2] }),
                _ => Ok(if values[0] == 0 { values[1] } else { values[2] }),
            }
            .map(Operand::Value);
        }
        let mut left = self.operand(&rest[0], target)?;
        if matches!(head, "!" | "not") {
            return Ok(Operand::Value(u64::from(self.fetch(&left) == 0)));
        }
        for item in &rest[1..] {
            let right = self.operand(item, target)?;
            left = Operand::Value(binary(head, self.fetch(&left), self.fetch(&right))?);
        }
        Ok(left)
    }

    fn assign(&mut self, to: &Node, value: &Node) -> Result<Operand, Abort> {
        let name = match (to, to.head()) {
            (Node::Word(name), _) => name.clone(),
            (_, ":=" | "bind") => match self.operand(to, None)? {
                Operand::Variable(name) => name,
                Operand::Value(_) => panic!("not assigned: {to:?}"),
            },
            _ => {
                self.operand(to, None)?;
                return Ok(Operand::Value(self.value(value, None)?));
            }
        };
        let value = self.value(value, Some(&name))?;
        self.set(&name, value);
        Ok(Operand::Variable(name))
    }
}

fn binary(head: &str, a: u64, b: u64) -> Result<u64, Abort> {
    let flag = |truth: bool| Ok(u64::from(truth));
    match head {
        "+" | "add" => a.checked_add(b).ok_or(Abort::AddOverflow),
        "-" | "sub" => a.checked_sub(b).ok_or(Abort::SubUnderflow),
        "*" | "mul" => a.checked_mul(b).ok_or(Abort::MulOverflow),
        "/" | "div" => a.checked_div(b).ok_or(Abort::DivideByZero),
        "add_sat" => Ok(a.saturating_add(b)),
        "sub_sat" => Ok(a.saturating_sub(b)),
        "mul_sat" => Ok(a.saturating_mul(b)),
        "max" => Ok(a.max(b)),
        "min" => Ok(a.min(b)),
        "wrapped_max" if a == 0 => Ok(b),
        "wrapped_max" if b == 0 => Ok(a),
        "wrapped_max" => {
            let modulus = 1_u64 << 32;
            let (a, b) = (a % modulus, b % modulus);
            let ahead = (a + modulus - b) % modulus;
            let behind = (b + modulus - a) % modulus;
            Ok(if ahead < behind { a } else { b })
        }
        ">" | "gt" => flag(a > b),
        ">=" | "ge" => flag(a >= b),
        "<" | "lt" => flag(a < b),
        "<=" | "le" => flag(a <= b),
        "==" | "eq" => flag(a == b),
        "!=" | "ne" => flag(a != b),
        "&&" | "and" => flag(a != 0 && b != 0),
        "||" | "or" => flag(a != 0 || b != 0),
        _ => panic!("operator {head}"),
    }
}

fn ewma(weight: u64, old: u64, new: u64) -> Result<u64, Abort> {
    if old == 0 {
        return Ok(new);
    }
    let (weight, old, new) = (u128::from(weight), u128::from(old), u128::from(new));
    if weight <= 10 {
        return Ok(u64::try_from((weight * old + (10 - weight) * new) / 10).expect("an average"));
    }
    let fits = |product: u128| u64::try_from(product).map_err(|_| Abort::MulOverflow);
    let (old, new) = (fits(weight * old)?, fits((weight - 10) * new)?);
    Ok(old.checked_sub(new).ok_or(Abort::SubUnderflow)? / 10)
}
