// SPDX-License-Identifier: GPL-2.0
//! What is known at one point of a program, on every way that leads there.

use std::collections::{BTreeMap, BTreeSet};

use ccp_core::vm::isa::{implicit, Class, Opcode, Reg};

use super::compare::Relation;
use super::numbers::{Key, Node, Number, Table};
use crate::flat::Temp;

/// The values registers hold and facts about values.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Of registers that were written; others hold what they held at first.
    regs: BTreeMap<Key, Number>,
    /// Temporaries that may be read here and their values, those read last last.
    temps: Vec<(Number, Temp)>,
    known: BTreeMap<Number, u64>,
    nonzero: BTreeSet<Number>,
    /// By pairs of which the lesser number comes first.
    relations: BTreeMap<(Number, Number), Relation>,
}

impl State {
    /// At the start of an invocation, when the datapath has cleared the flags.
    pub(super) fn new(table: &mut Table) -> Self {
        let mut state = Self::default();
        let zero = table.constant(0);
        for index in [implicit::SHOULD_CONTINUE, implicit::SHOULD_REPORT] {
            state.write(Reg::new(Class::Implicit, index), zero);
        }
        state
    }

    /// The value of a register.
    pub(super) fn read(&self, reg: Reg, table: &mut Table) -> Number {
        let key = Key::from(reg);
        match self.regs.get(&key) {
            Some(number) => *number,
            None => table.number(Node::Entry(key)),
        }
    }

    pub(super) fn write(&mut self, reg: Reg, number: Number) {
        self.regs.insert(reg.into(), number);
    }

    /// Makes a temporary one that may be read, instead of the one not read for
    /// longest if there are `limit` of them.
    pub(super) fn share(&mut self, number: Number, temp: Temp, limit: usize) {
        if self.shared(number).is_some() || limit == 0 {
            return;
        }
        if self.temps.len() == limit {
            self.temps.remove(0);
        }
        self.temps.push((number, temp));
    }

    /// A temporary that holds `number` and may be read.
    pub(super) fn shared(&self, number: Number) -> Option<Temp> {
        let found = self.temps.iter().find(|(held, _)| *held == number);
        found.map(|(_, temp)| *temp)
    }

    /// Notes that a temporary is read.
    pub(super) fn touch(&mut self, temp: Temp) {
        if let Some(at) = self.temps.iter().position(|(_, shared)| *shared == temp) {
            self.temps[at..].rotate_left(1);
        }
    }

    /// Ends a condition or a body: its temporaries are gone.
    pub(super) fn leave(&mut self) {
        self.temps.clear();
    }

    /// A register that holds `number`.
    pub(super) fn holder(&self, number: Number, table: &Table) -> Option<Reg> {
        if let Node::Entry(key) = table.node(number) {
            if !self.regs.contains_key(&key) {
                return key.reg();
            }
        }
        let found = self.regs.iter().find(|(_, held)| **held == number);
        found.and_then(|(key, _)| key.reg())
    }

    /// The constant `number` is known to be.
    pub(super) fn constant(&self, number: Number, table: &Table) -> Option<u64> {
        match table.node(number) {
            Node::Const(value) => Some(value),
            _ => self.known.get(&number).copied(),
        }
    }

    /// Whether `number` is known not to be 0.
    pub(super) fn is_nonzero(&self, number: Number, table: &Table) -> bool {
        self.nonzero.contains(&number) || self.constant(number, table).is_some_and(|c| c != 0)
    }

    /// How `a` may relate to `b`.
    pub(super) fn relation(&self, a: Number, b: Number) -> Relation {
        let known = |pair| self.relations.get(&pair).copied().unwrap_or(Relation::ANY);
        match a.cmp(&b) {
            std::cmp::Ordering::Less => known((a, b)),
            std::cmp::Ordering::Equal => Relation::EQUAL,
            std::cmp::Ordering::Greater => known((b, a)).swapped(),
        }
    }

    /// Learns that `number` is not 0, or that it is.
    pub(super) fn assume(&mut self, number: Number, truth: bool, table: &Table) {
        // What is known already is not followed again: parts can be shared.
        let known = if truth {
            self.is_nonzero(number, table)
        } else {
            self.constant(number, table) == Some(0)
        };
        if known {
            return;
        }
        match (table.node(number), truth) {
            (Node::Const(_), _) => return,
            (Node::Compare(relation, a, b), _) => {
                let relation = if truth { relation } else { relation.not() };
                self.relate(a, b, relation, table);
                self.relate(b, a, relation.swapped(), table);
            }
            (Node::Binary(Opcode::And, a, b), true) | (Node::Binary(Opcode::Or, a, b), false) => {
                self.assume(a, truth, table);
                self.assume(b, truth, table);
            }
            _ => {}
        }
        if !truth {
            self.known.insert(number, 0);
        } else if table.is_bool(number) {
            self.known.insert(number, 1);
        } else {
            self.nonzero.insert(number);
        }
    }

    fn relate(&mut self, a: Number, b: Number, relation: Relation, table: &Table) {
        let relation = self.relation(a, b).and(relation);
        if a < b {
            self.relations.insert((a, b), relation);
        }
        let Some(value) = self.constant(b, table) else {
            return;
        };
        if relation == Relation::EQUAL {
            if value == 0 {
                self.assume(a, false, table);
            } else if matches!(table.node(a), Node::Compare(..)) && value == 1 {
                self.assume(a, true, table);
            } else {
                self.known.insert(a, value);
            }
        } else if value == 0 && relation.and(Relation::EQUAL) == Relation::NONE {
            self.assume(a, true, table);
        }
    }

    /// What holds where two ways meet.
    pub(super) fn join(&self, other: &Self, table: &mut Table) -> Self {
        let mut regs = BTreeMap::new();
        for key in self.regs.keys().chain(other.regs.keys()) {
            let Some(reg) = key.reg() else { continue };
            let (a, b) = (self.read(reg, table), other.read(reg, table));
            let number = match (self.constant(a, table), other.constant(b, table)) {
                _ if a == b => a,
                (Some(x), Some(y)) if x == y => table.constant(x),
                // Once for each register, however often it comes up.
                _ => match regs.get(key) {
                    Some(known) => *known,
                    None => table.mixed(),
                },
            };
            regs.insert(*key, number);
        }
        let known = |(number, value): (&Number, &u64)| {
            (other.known.get(number) == Some(value)).then_some((*number, *value))
        };
        let relations = |(pair, relation): (&(Number, Number), &Relation)| {
            let theirs = other.relations.get(pair)?;
            Some((*pair, relation.or(*theirs)))
        };
        let both = |shared: &&(Number, Temp)| other.temps.contains(shared);
        Self {
            regs,
            temps: self.temps.iter().filter(both).copied().collect(),
            known: self.known.iter().filter_map(known).collect(),
            nonzero: self.nonzero.intersection(&other.nonzero).copied().collect(),
            relations: self.relations.iter().filter_map(relations).collect(),
        }
    }
}
