// SPDX-License-Identifier: GPL-2.0

//! What the ops of a decoded program touch, and where they go on.

use super::{
    decode::decode,
    interp::{
        run,
        Unmetered, //
    },
    program::{
        code,
        step,
        Op,
        Program, //
    },
    verify::verify,
};

/// A decoded program.
pub(crate) struct Seen {
    /// Slots of its register file.
    pub(crate) registers: usize,
    /// First slots of the packed classes.
    pub(crate) fields: [u8; 16],
    pub(crate) controls: u8,
    pub(crate) tmps: u8,
    pub(crate) constants: u8,
    pub(crate) report_fields: u8,
    pub(crate) control_count: u8,
    pub(crate) cost: u32,
    /// Units verification asked for, and those that run.
    pub(crate) units: usize,
    pub(crate) ops: Vec<Touch>,
    /// Slots that definitions and constants are stored to, with the value.
    pub(crate) definitions: Vec<(u8, u64)>,
    pub(crate) values: Vec<(u8, u64)>,
}

/// An op.
#[derive(Clone, Debug)]
pub(crate) struct Touch {
    op: Op,
    pub(crate) reads: Vec<u8>,
    pub(crate) writes: Vec<u8>,
    /// How far it may skip; `None` when it can't.
    pub(crate) skips: Option<usize>,
    /// Whether it may go on with the op after it, or end the invocation.
    pub(crate) falls: bool,
    pub(crate) ends: bool,
}

/// Decodes a program, if it verifies.
pub(crate) fn look(events: &[u8], instructions: &[u8]) -> Option<Seen> {
    let layout = verify(events, instructions).ok()?;
    let mut ops = vec![Op::default(); layout.ops];
    let header = decode(events, instructions, &mut ops).expect("what verifies decodes");
    let program = Program::new(&header, &ops);
    assert_eq!(program.layout(), layout);
    Some(Seen {
        registers: layout.registers,
        fields: header.slots.fields,
        controls: header.slots.controls,
        tmps: header.slots.tmps,
        constants: header.slots.constants,
        report_fields: header.report_fields,
        control_count: header.controls,
        cost: layout.cost,
        units: layout.ops,
        ops: program.code().iter().map(touch).collect(),
        definitions: program.definitions(header.defs).collect(),
        values: program.constants().collect(),
    })
}

fn touch(op: &Op) -> Touch {
    let mut touch = Touch {
        op: *op,
        reads: Vec::new(),
        writes: Vec::new(),
        skips: None,
        falls: true,
        ends: false,
    };
    if op.code >= code::FOLD_1 {
        let pairs = [(op.result, op.left), (op.right, op.third), op.last_pair()];
        let count = usize::from(op.code / code::FOLD_1);
        for (index, (to, from)) in pairs.into_iter().take(count).enumerate() {
            touch.reads.push(from);
            if (op.code >> (2 * index)) & 3 != step::BIND {
                touch.reads.push(to);
            }
            touch.writes.push(to);
        }
        return touch;
    }
    let (result, left, right, third) = (op.result, op.left, op.right, op.third);
    touch.reads = match op.code {
        code::BIND | code::NOT => vec![right],
        code::EWMA | code::IF | code::NOT_IF => vec![left, right, result],
        code::SHIFT | code::UNLESS | code::WHEN | code::END => vec![left],
        code::UNLESS_GT_MUL | code::UNLESS_LE_MUL | code::UNLESS_ADD_GT => {
            vec![left, right, third]
        }
        code::SKIP | code::STOP => vec![],
        _ => vec![left, right],
    };
    if let code::SHIFT | code::UNLESS_GT_SHIFT | code::UNLESS_LE_SHIFT = op.code {
        assert!(third < 64, "shifts by {third}");
    }
    if op.code < code::UNLESS_GT {
        touch.writes.push(result);
        return touch;
    }
    touch.skips = Some(op.distance());
    match op.code {
        code::SKIP => touch.falls = false,
        code::END => (touch.skips, touch.ends) = (None, true),
        code::STOP => (touch.skips, touch.falls, touch.ends) = (None, false, true),
        _ => (),
    }
    touch
}

impl Touch {
    /// Runs the op by itself: nothing but `reads` decides what it does, nothing
    /// but `writes` changes, and it goes on where it says. So `touch` and the
    /// interpreter mean the same by an op.
    pub(crate) fn is_whole(&self) {
        // No op names the last slots, see `fits`: they tell where it goes on.
        let ops = [
            self.skips.map_or(self.op, |_| self.op.with_distance(1)),
            Op::new(code::BIND, NEXT, 0, ONE),
            Op::new(code::BIND, AFTER, 0, ONE),
        ];
        for round in 0..6 {
            let (mut one, mut other) = (values(round), values(round + 100));
            for slot in self.reads.iter().chain(&self.writes) {
                other[usize::from(*slot)] = one[usize::from(*slot)];
            }
            let before = (one, other);
            let abort = run(&ops, &mut one, &mut Unmetered);
            assert_eq!(abort, run(&ops, &mut other, &mut Unmetered), "{self:?}");
            for slot in 0..=255 {
                let at = usize::from(slot);
                if self.writes.contains(&slot) || [NEXT, AFTER].contains(&slot) {
                    assert_eq!(one[at], other[at], "{self:?}: {slot}");
                } else {
                    let same = (one[at], other[at]) == (before.0[at], before.1[at]);
                    assert!(same, "{self:?} writes {slot}");
                }
            }
            if abort.is_some() {
                continue;
            }
            match (one[usize::from(NEXT)], one[usize::from(AFTER)]) {
                (1, _) => assert!(self.falls, "{self:?}"),
                (_, 1) => assert!(self.skips.is_some(), "{self:?}"),
                _ => assert!(self.ends, "{self:?}"),
            }
        }
    }
}

impl Touch {
    /// The op but for its distance.
    pub(crate) fn shape(&self) -> [u8; 7] {
        let (_, from) = self.op.last_pair();
        let distance = if self.op.code >= code::FOLD_1 {
            from
        } else {
            0
        };
        let op = self.op;
        [
            op.code, op.result, op.left, op.right, op.third, op.spare, distance,
        ]
    }
}

const NEXT: u8 = 255;
const AFTER: u8 = 254;
const ONE: u8 = 253;

/// A file of small and great numbers.
fn values(seed: u64) -> [u64; 256] {
    let mut file = [0; 256];
    for (index, slot) in (1u64..).zip(&mut file) {
        let mixed = ((seed << 8) | index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        *slot = match seed % 3 {
            0 => mixed >> 61,
            1 => mixed >> 40,
            _ => mixed,
        };
    }
    for (slot, value) in [(NEXT, 0), (AFTER, 0), (ONE, 1)] {
        file[usize::from(slot)] = value;
    }
    file
}
