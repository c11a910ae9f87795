// SPDX-License-Identifier: GPL-2.0
//! Numbers for values: what has the same number is the same value, whichever
//! register or temporary holds it. A number means one value for the whole of
//! an invocation.

use std::collections::HashMap;

use ccp_core::vm::isa::{Class, Opcode, Reg};

use super::compare::Relation;

/// Number of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Number(u32);

/// A register as a key of maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key(u8, u32);

impl From<Reg> for Key {
    fn from(reg: Reg) -> Self {
        Self(reg.class as u8, reg.index)
    }
}

impl Key {
    pub(super) fn reg(self) -> Option<Reg> {
        Class::from_code(self.0).map(|class| Reg::new(class, self.1))
    }
}

/// How a value comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Const(u64),
    /// What a register holds when the invocation begins.
    Entry(Key),
    /// One of several values, depending on the way taken.
    Mixed(u32),
    /// Not a comparison.
    Binary(Opcode, Number, Number),
    Compare(Relation, Number, Number),
    /// The second if the first is not 0, else the third.
    Select(Number, Number, Number),
    /// Weight, old value and sample.
    Ewma(Number, Number, Number),
}

/// A node in a form in which equal values are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    Const(u64),
    Entry(Key),
    Mixed(u32),
    Binary(u8, Number, Number),
    Compare(Relation, Number, Number),
    Select(Number, Number, Number),
    Ewma(Number, Number, Number),
}

impl From<Node> for Form {
    fn from(node: Node) -> Self {
        match node {
            Node::Const(value) => Self::Const(value),
            Node::Entry(key) => Self::Entry(key),
            Node::Mixed(id) => Self::Mixed(id),
            Node::Binary(opcode, a, b) => {
                let swap = commutes(opcode) && b < a;
                let (a, b) = if swap { (b, a) } else { (a, b) };
                Self::Binary(opcode as u8, a, b)
            }
            Node::Compare(relation, a, b) if b < a => Self::Compare(relation.swapped(), b, a),
            Node::Compare(relation, a, b) => Self::Compare(relation, a, b),
            Node::Select(a, b, c) => Self::Select(a, b, c),
            Node::Ewma(a, b, c) => Self::Ewma(a, b, c),
        }
    }
}

/// Whether the order of the operands does not matter.
pub(super) fn commutes(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Add
            | Opcode::AddSat
            | Opcode::Mul
            | Opcode::MulSat
            | Opcode::Max
            | Opcode::Min
            | Opcode::And
            | Opcode::Or
    )
}

/// All numbers given out.
#[derive(Debug, Default)]
pub(super) struct Table {
    nodes: Vec<Node>,
    /// Of each node, whether it is 0 or 1 whatever the operands are.
    bools: Vec<bool>,
    numbers: HashMap<Form, Number>,
    mixed: u32,
}

impl Table {
    /// The number of what `node` describes.
    pub(super) fn number(&mut self, node: Node) -> Number {
        let next = Number(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let number = *self.numbers.entry(node.into()).or_insert(next);
        if number == next {
            self.bools.push(match node {
                Node::Const(value) => value <= 1,
                Node::Compare(..) | Node::Binary(Opcode::And | Opcode::Or, ..) => true,
                Node::Select(_, a, b) => self.is_bool(a) && self.is_bool(b),
                _ => false,
            });
            self.nodes.push(node);
        }
        number
    }

    pub(super) fn constant(&mut self, value: u64) -> Number {
        self.number(Node::Const(value))
    }

    /// A number for a value nothing is known of.
    pub(super) fn mixed(&mut self) -> Number {
        self.mixed += 1;
        self.number(Node::Mixed(self.mixed))
    }

    pub(super) fn node(&self, number: Number) -> Node {
        self.nodes[number.0 as usize]
    }

    /// Whether the value is 0 or 1 whatever the operands are.
    pub(super) fn is_bool(&self, number: Number) -> bool {
        self.bools[number.0 as usize]
    }
}
