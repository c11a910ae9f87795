// SPDX-License-Identifier: GPL-2.0
//! The datapath's arithmetic, done when compiling. What would abort has no
//! result here: it is left to the datapath.

use ccp_core::vm::isa::Opcode;

/// What an operator gives for two constants.
pub(crate) fn binary(opcode: Opcode, left: u64, right: u64) -> Option<u64> {
    Some(match opcode {
        Opcode::Add => left.checked_add(right)?,
        Opcode::Sub => left.checked_sub(right)?,
        Opcode::Mul => left.checked_mul(right)?,
        Opcode::Div => left.checked_div(right)?,
        Opcode::AddSat => left.saturating_add(right),
        Opcode::SubSat => left.saturating_sub(right),
        Opcode::MulSat => left.saturating_mul(right),
        Opcode::Max => left.max(right),
        Opcode::Min => left.min(right),
        Opcode::MaxWrap => wrapped_max(left, right),
        Opcode::Equiv => u64::from(left == right),
        Opcode::Ne => u64::from(left != right),
        Opcode::Gt => u64::from(left > right),
        Opcode::Ge => u64::from(left >= right),
        Opcode::Lt => u64::from(left < right),
        Opcode::Le => u64::from(left <= right),
        Opcode::And => u64::from(left != 0 && right != 0),
        Opcode::Or => u64::from(left != 0 || right != 0),
        _ => return None,
    })
}

fn wrapped_max(left: u64, right: u64) -> u64 {
    let (l, r) = (left as u32, right as u32);
    match (left, right) {
        (0, _) => right,
        (_, 0) => left,
        _ if l.wrapping_sub(r) < r.wrapping_sub(l) => u64::from(l),
        _ => u64::from(r),
    }
}

/// The moving average of constants.
pub(super) fn ewma(weight: u64, old: u64, new: u64) -> Option<u64> {
    if old == 0 {
        return Some(new);
    }
    let (weight, old, new) = (u128::from(weight), u128::from(old), u128::from(new));
    if weight <= 10 {
        return u64::try_from((weight * old + (10 - weight) * new) / 10).ok();
    }
    let bounded = |product: u128| u64::try_from(product).ok();
    let (old, new) = (bounded(weight * old)?, bounded((weight - 10) * new)?);
    old.checked_sub(new).map(|difference| difference / 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::{Event, Operand, Place, Program, Set, Step, Value};
    use crate::ir::Definition;
    use crate::lower;
    use ccp_core::vm::{self, isa::Class, isa::Reg};
    use proptest::prelude::*;

    fn control(index: u32) -> Reg {
        Reg::new(Class::NonvolatileControl, index)
    }

    /// What the datapath computes of three values in registers, if anything.
    fn datapath(value: Value, operands: [u64; 3]) -> Option<u64> {
        let report = Reg::new(Class::NonvolatileReport, 0);
        let definitions = (0..)
            .zip(operands)
            .map(|(index, init)| Definition {
                reg: control(index),
                init,
            })
            .collect();
        let set = Set {
            to: Place::Reg(report),
            value,
            span: 0..0,
        };
        let program = Program {
            definitions,
            events: vec![Event {
                condition: Vec::new(),
                test: Operand::Const(1),
                body: vec![Step::Set(set)],
                span: 0..0,
            }],
            temps: 0,
        };
        let binary = crate::binary(&lower::lower(&program, None));
        let (events, instructions) = (&binary.events, &binary.instructions);
        let layout = vm::verify(events, instructions).expect("verifies");
        let mut ops = vec![vm::Op::default(); layout.ops];
        let header = vm::decode(events, instructions, &mut ops).expect("decodes");
        let program = vm::Program::new(&header, &ops);
        let (mut state, mut file) = (vm::State::default(), vec![0; layout.registers]);
        state.install(program, &mut file, 0);
        let input = vm::Input {
            primitives: [0; vm::PRIMITIVES],
            now_us: 0,
            cwnd: 0,
            rate: 0,
        };
        let outcome = state.invoke(program, &mut file, &input);
        outcome
            .abort
            .is_none()
            .then(|| state.report(program, &file).next())
            .flatten()
    }

    fn value() -> impl Strategy<Value = u64> {
        prop_oneof![
            0_u64..4,
            8_u64..14,
            any::<u64>(),
            any::<u32>().prop_map(u64::from),
            (0_u64..4).prop_map(|n| u64::MAX - n),
            (0_u64..4).prop_map(|n| u64::from(u32::MAX) - 1 + n),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn as_the_datapath_computes(left in value(), right in value(), old in value()) {
            let operands = [left, right, old];
            let [a, b, c] = [0, 1, 2].map(|index| Operand::Reg(control(index)));
            for opcode in Opcode::ALL {
                if opcode.form() == vm::isa::Form::Binary {
                    let found = datapath(Value::Binary(*opcode, a, b), operands);
                    prop_assert_eq!(binary(*opcode, left, right), found, "{:?}", opcode);
                }
            }
            let average = Value::Ewma { weight: a, state: c, sample: b };
            prop_assert_eq!(ewma(left, old, right), datapath(average, operands));
        }
    }
}
