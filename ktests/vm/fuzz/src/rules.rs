// SPDX-License-Identifier: GPL-2.0
//! The verifier as `docs/isa.md` reads: every rule by itself, on the wire form,
//! with nothing of the verifier that is tested.

use std::collections::{BTreeMap, BTreeSet};

/// What the page says follows from a program that keeps the rules.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Most instructions of an invocation.
    pub cost: u32,
    /// Fields of a report.
    pub report_fields: usize,
    /// Control registers.
    pub controls: u32,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Reg {
    class: u8,
    index: u32,
}

#[derive(Copy, Clone, Debug)]
struct Raw {
    opcode: u8,
    result: Reg,
    left: Reg,
    right: Reg,
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Form {
    Binary,
    Unary,
    Update,
    Define,
    Define64,
    Skip,
    Wide,
}

const IMMEDIATE: u8 = 1;
const TMP: u8 = 7;
const FLAG: Reg = Reg { class: 2, index: 0 };
const CONTINUE: Reg = Reg { class: 2, index: 1 };

/// Whether a program keeps all rules; if not, one that it breaks.
pub fn check(events: &[u8], instructions: &[u8]) -> Result<Facts, &'static str> {
    if events.len() % 16 != 0 || instructions.len() % 16 != 0 {
        return Err("lengths are multiples of 16");
    }
    if !(1..=256).contains(&(events.len() / 16)) || instructions.len() / 16 > 4096 {
        return Err("limits of events and instructions");
    }
    let code: Vec<Raw> = instructions.chunks(16).map(raw).collect();
    for instruction in &code {
        known(instruction)?;
    }
    let defs = code
        .iter()
        .take_while(|raw| matches!(form(raw), Some(Form::Define | Form::Define64)))
        .count();
    definitions(&code[..defs])?;
    let (mut next, mut conditions, mut bodies, mut longest) = (defs as u64, 0, 0, 0);
    for event in events.chunks(16) {
        let [cond, conds, body, count] = [0, 4, 8, 12].map(|at| u64::from(word(&event[at..])));
        if cond != next || conds == 0 || body != cond + conds {
            return Err("ranges follow each other, no condition is empty");
        }
        next = body + count;
        if next > code.len() as u64 {
            return Err("ranges end within the program");
        }
        let (condition, body) = code[cond as usize..next as usize].split_at(conds as usize);
        part(condition, condition.len() - 1)?;
        part(body, body.len())?;
        let last = condition[condition.len() - 1];
        if last.result != FLAG || matches!(last.opcode, 7 | 13 | 38) {
            return Err("a condition ends by writing the flag");
        }
        conditions += condition.len();
        bodies += body.len();
        longest = longest.max(body.len());
    }
    if next != code.len() as u64 {
        return Err("no instruction follows the last body");
    }
    if constants(&code[defs..]).len() > 128 {
        return Err("limit of constants");
    }
    let continues = code[defs..]
        .iter()
        .any(|raw| raw.opcode != 38 && raw.result == CONTINUE);
    Ok(Facts {
        cost: (conditions + if continues { bodies } else { longest }) as u32,
        report_fields: named(&code, [5, 6]) as usize,
        controls: named(&code, [0, 8]),
    })
}

fn word(bytes: &[u8]) -> u32 {
    bytes[..4]
        .iter()
        .rev()
        .fold(0, |word, byte| (word << 8) | u32::from(*byte))
}

fn raw(bytes: &[u8]) -> Raw {
    let reg = |at: usize| Reg {
        class: bytes[at],
        index: word(&bytes[at + 1..]),
    };
    Raw {
        opcode: bytes[0],
        result: reg(1),
        left: reg(6),
        right: reg(11),
    }
}

fn form(raw: &Raw) -> Option<Form> {
    Some(match raw.opcode {
        0 | 3 | 4 | 6 | 8..=12 | 14 | 32..=36 | 41..=43 => Form::Binary,
        1 | 37 => Form::Unary,
        5 | 7 | 13 => Form::Update,
        2 => Form::Define,
        40 => Form::Define64,
        38 => Form::Skip,
        39 => Form::Wide,
        _ => return None,
    })
}

/// Opcode, classes and indices are in the tables; results can be written;
/// what must be immediate is.
fn known(raw: &Raw) -> Result<(), &'static str> {
    let Some(form) = form(raw) else {
        return Err("known opcodes");
    };
    for reg in [raw.result, raw.left, raw.right] {
        let count = match reg.class {
            0 | 5..=8 => 16,
            1 => continue,
            2 => 6,
            3 => 8,
            4 => 32,
            _ => return Err("known classes"),
        };
        if reg.index >= count {
            return Err("indices in range");
        }
    }
    if matches!(raw.result.class, 1 | 4) {
        return Err("results can be written");
    }
    let (left, right) = match form {
        Form::Define | Form::Skip => (false, true),
        Form::Define64 | Form::Wide => (true, true),
        Form::Binary | Form::Unary | Form::Update => (false, false),
    };
    if left && raw.left.class != IMMEDIATE || right && raw.right.class != IMMEDIATE {
        return Err("immediates where they must be");
    }
    Ok(())
}

fn definitions(defs: &[Raw]) -> Result<(), &'static str> {
    let mut defined = BTreeSet::new();
    for def in defs {
        let control = matches!(def.result.class, 0 | 8);
        if !control && !matches!(def.result.class, 5 | 6) {
            return Err("definitions are of control and report registers");
        }
        if def.opcode == 2 && def.left != def.result {
            return Err("result and left of DEF are the same");
        }
        if !defined.insert((control, def.result.index)) {
            return Err("no register is defined twice");
        }
    }
    Ok(())
}

fn reads(raw: &Raw) -> Vec<Reg> {
    match form(raw) {
        Some(Form::Binary) => vec![raw.left, raw.right],
        Some(Form::Unary) => vec![raw.right],
        Some(Form::Update) => vec![raw.left, raw.right, raw.result],
        Some(Form::Skip) => vec![raw.left],
        _ => vec![],
    }
}

/// A condition or a body whose skips lead at most to `limit`.
fn part(code: &[Raw], limit: usize) -> Result<(), &'static str> {
    // The tmp registers written on every path to an instruction that any path
    // leads to. A skip with a constant that is not 0 counts as both paths.
    let mut paths = BTreeMap::from([(0, 0u16)]);
    let mut ahead = BTreeSet::new();
    for (index, raw) in code.iter().enumerate() {
        if matches!(form(raw), Some(Form::Define | Form::Define64)) {
            return Err("definitions come before the first event");
        }
        let reached = paths.get(&index).copied();
        for reg in reads(raw) {
            if reg.class == TMP && reached.is_some_and(|written| (written >> reg.index) & 1 == 0) {
                return Err("tmp registers are written before they are read");
            }
        }
        let mut after = reached.unwrap_or(0);
        let mut next = vec![index + 1];
        if raw.opcode == 38 {
            let target = index as u64 + 1 + u64::from(raw.right.index);
            if raw.right.index == 0 || target > limit as u64 {
                return Err("skips lead ahead, within their part");
            }
            let target = target as usize;
            ahead.insert(target);
            ahead.retain(|target| *target > index);
            if ahead.len() > 32 {
                return Err("limit of skip targets");
            }
            if raw.left
                == (Reg {
                    class: IMMEDIATE,
                    index: 0,
                })
            {
                next.clear();
            }
            next.push(target);
        } else if raw.result.class == TMP && !matches!(raw.opcode, 7 | 13) {
            after |= 1 << raw.result.index;
        }
        if reached.is_some() {
            for next in next {
                *paths.entry(next).or_insert(u16::MAX) &= after;
            }
        }
    }
    Ok(())
}

fn constants(code: &[Raw]) -> BTreeSet<u64> {
    let mut constants = BTreeSet::new();
    for raw in code {
        let immediate = |reg: &Reg| reg.class == IMMEDIATE;
        constants.extend(
            reads(raw)
                .into_iter()
                .filter(immediate)
                .map(|reg| u64::from(reg.index)),
        );
        if raw.opcode == 39 {
            constants.insert(u64::from(raw.left.index) + (u64::from(raw.right.index) << 32));
        }
    }
    constants
}

/// The highest index of these classes that is named, plus one.
fn named(code: &[Raw], classes: [u8; 2]) -> u32 {
    let regs = code
        .iter()
        .flat_map(|raw| [raw.result, raw.left, raw.right]);
    let known = regs.filter(|reg| classes.contains(&reg.class));
    known.map(|reg| reg.index + 1).max().unwrap_or(0)
}
