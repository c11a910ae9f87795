// SPDX-License-Identifier: GPL-2.0
//! Identities: the same value, computed from less. None of them takes an abort
//! away: what can abort is replaced only when it cannot.

use std::collections::BTreeSet;

use ccp_core::vm::isa::Opcode;

use super::compare::Relation;
use super::fold;
use super::numbers::{commutes, Node, Number, Table};
use super::state::State;

/// A point of the program, to simplify for.
pub(super) struct Simplifier<'a> {
    pub(super) table: &'a mut Table,
    pub(super) state: &'a State,
}

impl Simplifier<'_> {
    /// What `node` comes down to. Its operands stay what they are; a constant
    /// or one of the operands is possible, too.
    pub(super) fn simplify(&mut self, node: Node) -> Node {
        match node {
            Node::Binary(Opcode::And, a, b) => self.and(a, b),
            Node::Binary(Opcode::Or, a, b) => self.or(a, b),
            Node::Binary(opcode, a, b) => self.binary(opcode, a, b),
            Node::Compare(relation, a, b) => self.compare(relation, a, b),
            Node::Select(condition, then, otherwise) => self.select(condition, then, otherwise),
            Node::Ewma(weight, old, sample) => self.ewma(weight, old, sample),
            Node::Const(_) | Node::Entry(_) | Node::Mixed(_) => node,
        }
    }

    /// The number of a value, that of a constant if it is known to be one.
    pub(super) fn canonical(&mut self, number: Number) -> Number {
        match self.state.constant(number, self.table) {
            Some(value) => self.table.constant(value),
            None => number,
        }
    }

    /// What is true whenever `number` is, and as cheap or cheaper.
    pub(super) fn truth(&mut self, number: Number) -> Number {
        let number = self.canonical(number);
        match self.table.node(number) {
            Node::Compare(relation, a, b) if relation == NOT_EQUAL => {
                match (self.constant(a), self.constant(b)) {
                    (_, Some(0)) => self.truth(a),
                    (Some(0), _) => self.truth(b),
                    _ => number,
                }
            }
            _ => number,
        }
    }

    /// The value whose negation `number` is.
    pub(super) fn negated(&self, number: Number) -> Option<Number> {
        match self.table.node(number) {
            Node::Compare(Relation::EQUAL, a, b) => match (self.constant(a), self.constant(b)) {
                (_, Some(0)) => Some(a),
                (Some(0), _) => Some(b),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether `number` is known to be true or false.
    pub(super) fn decided(&self, number: Number) -> Option<bool> {
        if self.state.is_nonzero(number, self.table) {
            return Some(true);
        }
        self.constant(number).map(|value| value != 0)
    }

    /// 1 if `number` is 0, else 0.
    pub(super) fn not(&mut self, number: Number) -> Node {
        let zero = self.table.constant(0);
        self.compare(Relation::EQUAL, number, zero)
    }

    fn constant(&self, number: Number) -> Option<u64> {
        self.state.constant(number, self.table)
    }

    fn node(&self, number: Number) -> Node {
        match self.constant(number) {
            Some(value) => Node::Const(value),
            None => self.table.node(number),
        }
    }

    /// 1 if `number` is not 0, else 0.
    fn as_bool(&mut self, number: Number) -> Node {
        let zero = self.table.constant(0);
        self.compare(NOT_EQUAL, number, zero)
    }

    fn binary(&mut self, opcode: Opcode, a: Number, b: Number) -> Node {
        let node = Node::Binary(opcode, a, b);
        let (a, b) = match self.constant(a) {
            Some(_) if commutes(opcode) && self.constant(b).is_none() => (b, a),
            _ => (a, b),
        };
        if let (Some(x), Some(y)) = (self.constant(a), self.constant(b)) {
            return fold::binary(opcode, x, y).map_or(node, Node::Const);
        }
        match (opcode, self.constant(a), self.constant(b)) {
            (Opcode::Mul | Opcode::MulSat | Opcode::Div, _, Some(1))
            | (
                Opcode::Add
                | Opcode::AddSat
                | Opcode::Sub
                | Opcode::SubSat
                | Opcode::Max
                | Opcode::MaxWrap,
                _,
                Some(0),
            )
            | (Opcode::Min, _, Some(u64::MAX)) => self.node(a),
            (Opcode::MaxWrap, Some(0), _) => self.node(b),
            (Opcode::AddSat | Opcode::Max, _, Some(u64::MAX)) => Node::Const(u64::MAX),
            (Opcode::Mul | Opcode::MulSat | Opcode::Min, _, Some(0))
            | (Opcode::SubSat, Some(0), _)
            | (Opcode::SubSat, _, Some(u64::MAX)) => Node::Const(0),
            (Opcode::Div, Some(0), _) if self.state.is_nonzero(b, self.table) => Node::Const(0),
            (Opcode::Sub | Opcode::SubSat, ..) if a == b => Node::Const(0),
            (Opcode::Max | Opcode::Min, ..) if a == b => self.node(a),
            (Opcode::Max | Opcode::Min | Opcode::Div, _, Some(c)) => self
                .nested(opcode, a, c)
                .unwrap_or(Node::Binary(opcode, a, b)),
            _ => Node::Binary(opcode, a, b),
        }
    }

    /// An operator and a constant, twice: the two constants become one.
    fn nested(&mut self, opcode: Opcode, inner: Number, outer: u64) -> Option<Node> {
        let node = self.table.node(inner);
        let Node::Binary(same, left, right) = node else {
            return None;
        };
        if same != opcode {
            return None;
        }
        let (operand, value) = match (self.constant(left), self.constant(right)) {
            (_, Some(value)) => (left, value),
            (Some(value), _) if commutes(opcode) => (right, value),
            _ => return None,
        };
        let both = match opcode {
            Opcode::Max => outer.max(value),
            Opcode::Min => outer.min(value),
            _ if outer == 0 || value == 0 => return None,
            _ => match outer.checked_mul(value) {
                Some(product) => product,
                // Whatever fits in 64 bits is less.
                None => return Some(Node::Const(0)),
            },
        };
        if both == value && opcode != Opcode::Div {
            return Some(node);
        }
        let both = self.table.constant(both);
        Some(Node::Binary(opcode, operand, both))
    }

    fn compare(&mut self, relation: Relation, a: Number, b: Number) -> Node {
        let (relation, a, b) = match self.constant(a) {
            Some(_) if self.constant(b).is_none() => (relation.swapped(), b, a),
            _ => (relation, a, b),
        };
        let (x, y) = (self.constant(a), self.constant(b));
        if let (Some(x), Some(y)) = (x, y) {
            return Node::Const(u64::from(relation.holds(x, y)));
        }
        // What there is to the limits of numbers, whoever they belong to.
        let range = match y {
            Some(0) => Relation::LESS.not(),
            Some(u64::MAX) => Relation::GREATER.not(),
            _ => Relation::ANY,
        };
        let mut possible = self.state.relation(a, b).and(range);
        if y == Some(0) && self.state.is_nonzero(a, self.table) {
            possible = Relation::GREATER;
        }
        if relation.and(possible) == Relation::NONE {
            return Node::Const(0);
        }
        if relation.and(possible) == possible {
            return Node::Const(1);
        }
        if let (Some(y), true) = (y, self.table.is_bool(a)) {
            return match (relation.holds(0, y), relation.holds(1, y)) {
                (false, true) => self.node(a),
                (true, false) => self.inverse(a),
                (same, _) => Node::Const(u64::from(same)),
            };
        }
        let relation = relation.and(range);
        match y {
            Some(0 | u64::MAX) if relation != Relation::EQUAL => Node::Compare(NOT_EQUAL, a, b),
            Some(1) if relation == Relation::LESS => {
                let zero = self.table.constant(0);
                Node::Compare(Relation::EQUAL, a, zero)
            }
            Some(1) if relation == Relation::LESS.not() => {
                let zero = self.table.constant(0);
                Node::Compare(NOT_EQUAL, a, zero)
            }
            _ => Node::Compare(relation, a, b),
        }
    }

    /// The negation of a truth value.
    fn inverse(&mut self, number: Number) -> Node {
        if let Node::Compare(relation, a, b) = self.table.node(number) {
            return self.compare(relation.not(), a, b);
        }
        let zero = self.table.constant(0);
        Node::Compare(Relation::EQUAL, number, zero)
    }

    fn and(&mut self, a: Number, b: Number) -> Node {
        let (a, b) = (self.truth(a), self.truth(b));
        match (self.decided(a), self.decided(b)) {
            (Some(false), _) | (_, Some(false)) => Node::Const(0),
            (Some(true), _) => self.as_bool(b),
            (_, Some(true)) => self.as_bool(a),
            _ if a == b => self.as_bool(a),
            _ if self.opposite(a, b) => Node::Const(0),
            _ if self.holds(a, Opcode::And, b) => self.node(a),
            _ if self.holds(b, Opcode::And, a) => self.node(b),
            _ => match self.same_pair(a, b) {
                Some((left, right, x, y)) => self.compare(left.and(right), x, y),
                None => Node::Binary(Opcode::And, a, b),
            },
        }
    }

    fn or(&mut self, a: Number, b: Number) -> Node {
        let (a, b) = (self.truth(a), self.truth(b));
        match (self.decided(a), self.decided(b)) {
            (Some(true), _) | (_, Some(true)) => Node::Const(1),
            (Some(false), _) => self.as_bool(b),
            (_, Some(false)) => self.as_bool(a),
            _ if a == b => self.as_bool(a),
            _ if self.opposite(a, b) => Node::Const(1),
            _ if self.holds(a, Opcode::Or, b) => self.node(a),
            _ if self.holds(b, Opcode::Or, a) => self.node(b),
            _ => match self.same_pair(a, b) {
                Some((left, right, x, y)) => self.compare(left.or(right), x, y),
                None => Node::Binary(Opcode::Or, a, b),
            },
        }
    }

    /// Whether `number` joins `part` and others already.
    fn holds(&self, number: Number, opcode: Opcode, part: Number) -> bool {
        let mut open = vec![number];
        // Shared parts are looked at once: there can be exponentially many ways to
        // them.
        let mut seen = BTreeSet::new();
        while let Some(number) = open.pop() {
            if let Node::Binary(join, a, b) = self.table.node(number) {
                if join == opcode && seen.insert(number) {
                    if a == part || b == part {
                        return true;
                    }
                    open.extend([a, b]);
                }
            }
        }
        false
    }

    /// Whether one is the negation of the other.
    fn opposite(&self, a: Number, b: Number) -> bool {
        self.negated(a) == Some(b) || self.negated(b) == Some(a)
    }

    /// Two comparisons of the same values, in the order of the first.
    fn same_pair(&self, a: Number, b: Number) -> Option<(Relation, Relation, Number, Number)> {
        let (Node::Compare(first, left, right), Node::Compare(second, other, last)) =
            (self.table.node(a), self.table.node(b))
        else {
            return None;
        };
        if (left, right) == (other, last) {
            return Some((first, second, left, right));
        }
        ((left, right) == (last, other)).then_some((first, second.swapped(), left, right))
    }

    fn select(&mut self, condition: Number, then: Number, otherwise: Number) -> Node {
        let condition = self.truth(condition);
        match self.decided(condition) {
            Some(true) => return self.node(then),
            Some(false) => return self.node(otherwise),
            None => {}
        }
        match (self.constant(then), self.constant(otherwise)) {
            (Some(a), Some(b)) if a == b => return Node::Const(a),
            (Some(1), Some(0)) => return self.as_bool(condition),
            (Some(0), Some(1)) => return self.not(condition),
            _ if then == otherwise => return self.node(then),
            _ => {}
        }
        match self.negated(condition) {
            Some(condition) => {
                let condition = self.truth(condition);
                Node::Select(condition, otherwise, then)
            }
            None => Node::Select(condition, then, otherwise),
        }
    }

    fn ewma(&mut self, weight: Number, old: Number, sample: Number) -> Node {
        let node = Node::Ewma(weight, old, sample);
        match (
            self.constant(weight),
            self.constant(old),
            self.constant(sample),
        ) {
            (_, Some(0), _) | (Some(0), ..) => self.node(sample),
            (Some(weight), Some(old), Some(sample)) => {
                fold::ewma(weight, old, sample).map_or(node, Node::Const)
            }
            (Some(0..=10), ..) if old == sample => self.node(old),
            _ => node,
        }
    }
}

const NOT_EQUAL: Relation = Relation::EQUAL.not();
