// SPDX-License-Identifier: GPL-2.0

//! Random bytes and random programs: nothing panics, the cost holds, and the
//! machine agrees with the naive one.

mod common;

use ccp_core::vm::{
    self,
    isa::{
        Class,
        Event,
        Instruction,
        Opcode,
        Reg, //
    },
    Input,
    Kind,
    Operand,
    Place, //
};
use common::{
    naive::Naive,
    *, //
};
use proptest::prelude::*;

/// Values near the edges, where mistakes are.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 0u64..4,
        2 => 0u64..100_000,
        1 => Just(u64::from(u32::MAX)),
        1 => any::<u32>().prop_map(u64::from),
        1 => Just(u64::MAX),
        1 => any::<u64>(),
    ]
}

fn sample() -> impl Strategy<Value = Input> {
    let primitives = prop::collection::vec(value(), vm::PRIMITIVES);
    (primitives, 0u64..1 << 40, value(), value()).prop_map(|(values, now_us, cwnd, rate)| {
        let mut primitives = [0; vm::PRIMITIVES];
        primitives.copy_from_slice(&values);
        Input {
            primitives,
            now_us,
            cwnd,
            rate,
        }
    })
}

/// A register; few indices, so that instructions meet.
fn reg() -> impl Strategy<Value = Reg> {
    let few = prop_oneof![4 => 0u32..3, 1 => 0u32..16];
    prop_oneof![
        2 => few.clone().prop_map(c),
        1 => few.clone().prop_map(vc),
        2 => few.clone().prop_map(r),
        1 => few.clone().prop_map(vr),
        2 => (0u32..8).prop_map(l),
        6 => few.prop_map(t),
        1 => prop_oneof![Just(MICROS), Just(CWND), Just(RATE)],
        1 => prop_oneof![Just(FLAG), Just(CONTINUE), Just(CONTINUE), Just(REPORT)],
    ]
}

fn operand() -> impl Strategy<Value = Reg> {
    prop_oneof![
        5 => reg(),
        2 => (0usize..32).prop_map(p),
        3 => prop_oneof![0u32..12, any::<u32>()].prop_map(imm),
    ]
}

fn instruction() -> impl Strategy<Value = Instruction> {
    let opcode = prop_oneof![
        3 => prop::sample::select(Opcode::ALL),
        1 => Just(Opcode::Bind),
        1 => Just(Opcode::SkipZ),
        1 => Just(Opcode::Gt),
    ];
    let wide = prop_oneof![0u32..3, any::<u32>()];
    (
        opcode,
        reg(),
        operand(),
        operand(),
        wide.clone(),
        wide,
        1u32..5,
    )
        .prop_map(
            |(opcode, result, left, right, low, high, count)| match opcode {
                Opcode::Def | Opcode::Def64 => bind(result, right),
                Opcode::Const => op(opcode, result, imm(low), imm(high)),
                Opcode::SkipZ => op(opcode, FLAG, left, imm(count)),
                _ => op(opcode, result, left, right),
            },
        )
}

/// An expression as a compiler sees it.
#[derive(Clone, Debug)]
enum Expression {
    Leaf(Reg),
    Node(Opcode, Box<Expression>, Box<Expression>),
}

impl Expression {
    /// Appends its instructions, operands first, each into the next tmp
    /// register; returns where the value is. Cuts what needs too many.
    fn compile(&self, next: &mut u32, code: &mut Vec<Instruction>) -> Reg {
        match self {
            Expression::Leaf(reg) => *reg,
            Expression::Node(opcode, left, right) => {
                let left = left.compile(next, code);
                let right = right.compile(next, code);
                if *next == 16 {
                    return left;
                }
                let result = t(*next);
                *next += 1;
                code.push(op(*opcode, result, left, right));
                result
            }
        }
    }
}

fn expression() -> impl Strategy<Value = Expression> {
    let compare = prop::sample::select(vec![
        Opcode::Gt,
        Opcode::Lt,
        Opcode::Equiv,
        Opcode::Ge,
        Opcode::Le,
        Opcode::Ne,
    ]);
    let leaf = || {
        let reg = operand().prop_map(|reg| match reg.class {
            Class::Tmp => l(reg.index % 8),
            _ => reg,
        });
        reg.prop_map(Expression::Leaf)
    };
    let comparison = (compare, leaf(), leaf())
        .prop_map(|(opcode, a, b)| Expression::Node(opcode, Box::new(a), Box::new(b)));
    let simple = prop_oneof![4 => comparison, 1 => leaf()];
    simple.prop_recursive(4, 16, 2, |inner| {
        let join = prop_oneof![
            6 => prop::sample::select(vec![Opcode::Mul, Opcode::And]),
            2 => prop::sample::select(vec![Opcode::Add, Opcode::Or]),
            1 => prop::sample::select(vec![Opcode::Gt, Opcode::Sub, Opcode::Div]),
        ];
        (join, inner.clone(), inner)
            .prop_map(|(opcode, a, b)| Expression::Node(opcode, Box::new(a), Box::new(b)))
    })
}

/// An event such as a compiler writes.
fn compiled_event() -> impl Strategy<Value = EventParts> {
    let statement = (reg(), expression());
    let statements = prop::collection::vec(statement, 0..4);
    let parts = (expression(), statements, any::<bool>(), any::<bool>());
    parts.prop_map(|(test, statements, always, go_on)| {
        let test = if always {
            Expression::Leaf(imm(1))
        } else {
            test
        };
        let mut condition = Vec::new();
        let value = test.compile(&mut 0, &mut condition);
        let last = match condition.pop() {
            Some(last) if last.result == value => last,
            other => {
                condition.extend(other);
                bind(FLAG, value)
            }
        };
        let mut body = Vec::new();
        for (target, expression) in statements {
            let value = expression.compile(&mut 0, &mut body);
            let target = if target == CONTINUE { r(0) } else { target };
            body.push(bind(target, value));
        }
        if go_on {
            body.push(bind(CONTINUE, imm(1)));
        }
        (condition, last, body)
    })
}

type EventParts = (Vec<Instruction>, Instruction, Vec<Instruction>);

fn event() -> impl Strategy<Value = EventParts> {
    let some = |most| prop::collection::vec(instruction(), 0..most);
    (some(4), instruction(), some(12))
}

fn definitions() -> impl Strategy<Value = Vec<Instruction>> {
    let class = prop::sample::select(vec![
        Class::NonvolatileControl,
        Class::VolatileControl,
        Class::NonvolatileReport,
        Class::VolatileReport,
    ]);
    let one = (class, 0u32..16, any::<bool>(), any::<u32>(), 0u32..3);
    prop::collection::vec(one, 0..8).prop_map(|all| {
        let mut known = Vec::new();
        let mut defs = Vec::new();
        for (class, index, wide, low, high) in all {
            let control = matches!(class, Class::NonvolatileControl | Class::VolatileControl);
            if known.contains(&(control, index)) {
                continue;
            }
            known.push((control, index));
            let reg = Reg::new(class, index);
            defs.push(if wide {
                op(Opcode::Def64, reg, imm(low), imm(high))
            } else {
                def(reg, low)
            });
        }
        defs
    })
}

/// A program that verifies: what the verifier objects to is mended.
fn program() -> impl Strategy<Value = Source> {
    let mixed = prop::collection::vec(prop_oneof![event(), compiled_event()], 1..5);
    let compiled = prop::collection::vec(compiled_event(), 1..6);
    (definitions(), prop_oneof![mixed, compiled]).prop_map(|(defs, events)| {
        let mut source = events.into_iter().fold(
            Source::new(&defs),
            |source, (mut condition, mut last, body)| {
                last.result = FLAG;
                if matches!(last.opcode, Opcode::If | Opcode::NotIf | Opcode::SkipZ) {
                    last = bind(FLAG, last.left);
                }
                condition.push(last);
                source.when(&condition, &body)
            },
        );
        while let Err(error) = source.verify() {
            let Place::Instruction(at) = error.place else {
                panic!("{error}");
            };
            mend(&mut source.instructions[at as usize], error.kind);
        }
        source
    })
}

fn mend(instruction: &mut Instruction, kind: Kind) {
    match kind {
        Kind::UnwrittenTmp { operand, index } => {
            let other = l(index % 8);
            match operand {
                Operand::Result => instruction.result = other,
                Operand::Left => instruction.left = other,
                Operand::Right => instruction.right = other,
            }
        }
        Kind::SkipPastEnd { .. } if instruction.right.index > 1 => instruction.right.index -= 1,
        Kind::SkipPastEnd { .. } => *instruction = bind(c(0), instruction.left),
        kind => panic!("{kind:?}"),
    }
}

/// Runs a program on both machines.
fn agree(machine: &mut Machine, naive: &mut Naive, samples: &[Input]) {
    for sample in samples {
        let outcome = machine.run(sample);
        let (expected, executed, events) = naive.run(sample);
        assert_eq!(outcome, expected);
        if outcome.abort.is_none() {
            let fields = machine.report().len() as u32;
            let report: Vec<u64> = (0..fields).map(|index| naive.get(6, index)).collect();
            assert_eq!(machine.report(), report);
        }
        let locals: Vec<u64> = (0..8).map(|index| naive.get(3, index)).collect();
        assert_eq!(machine.locals(), locals);
        assert!(executed <= machine.layout.cost);
        assert!(machine.steps <= executed + 2 * events);
        if outcome.report {
            machine.reset_volatile();
            naive.reset_volatile();
        }
        for index in 0..16 {
            let value = sample.primitives[index as usize];
            if value % 3 == 0 && machine.update(0, index, value).is_ok() {
                naive.set(0, index, value);
            }
        }
    }
}

/// 2000 cases, or as many as PROPTEST_CASES says.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 2000;
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes(
        events in prop::collection::vec(any::<u8>(), 0..80),
        instructions in prop::collection::vec(any::<u8>(), 0..160),
        units in 0usize..40,
    ) {
        let verified = vm::verify(&events, &instructions);
        let mut ops = vec![vm::Op::default(); units];
        let decoded = vm::decode(&events, &instructions, &mut ops);
        prop_assert!(verified.is_ok() || decoded.is_err());
    }

    /// Bytes that look like a program: few wrong, most in range.
    #[test]
    fn nearly_programs(
        source in program(),
        at in any::<prop::sample::Index>(),
        to in prop_oneof![0u8..16, any::<u8>()],
        event in prop_oneof![Just(None), (0usize..4, 0u32..40).prop_map(Some)],
        samples in prop::collection::vec(sample(), 1..3),
    ) {
        let mut instructions = source.instruction_bytes();
        if !instructions.is_empty() {
            *at.get_mut(&mut instructions) = to;
        }
        let mut events = source.events.clone();
        if let Some((field, value)) = event {
            let Event { cond_start, cond_count, body_start, body_count } = &mut events[0];
            *[cond_start, cond_count, body_start, body_count][field] = value;
        }
        let events: Vec<u8> = events.iter().flat_map(|e| e.to_bytes()).collect();
        if let Ok(mut machine) = Machine::load(&events, &instructions) {
            let mut naive = Naive::new(&events, &instructions);
            agree(&mut machine, &mut naive, &samples);
        }
    }

    #[test]
    fn as_the_naive_machine(
        first in program(),
        second in program(),
        before in prop::collection::vec(sample(), 0..4),
        after in prop::collection::vec(sample(), 0..4),
    ) {
        let mut machine = first.load();
        let mut naive = Naive::new(&first.event_bytes(), &first.instruction_bytes());
        agree(&mut machine, &mut naive, &before);
        let (events, instructions) = (second.event_bytes(), second.instruction_bytes());
        machine.switch(&events, &instructions, 12_345).unwrap();
        naive.switch(&events, &instructions, 12_345);
        agree(&mut machine, &mut naive, &after);
    }
}
