// SPDX-License-Identifier: GPL-2.0

//! The machine as `docs/isa.md` reads, straight from the wire form: a table of
//! registers for each class, 128-bit arithmetic, nothing prepared.

use ccp_core::vm::{
    Abort,
    Input,
    Outcome, //
};

#[derive(Copy, Clone)]
struct Raw {
    opcode: u8,
    result: (u8, u32),
    left: (u8, u32),
    right: (u8, u32),
}

pub struct Naive {
    instructions: Vec<Raw>,
    events: Vec<[u32; 4]>,
    registers: [[u64; 32]; 9],
    base: u64,
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().unwrap())
}

/// Volatile and other registers of a kind are the same registers.
fn key(reg: (u8, u32)) -> (u8, u32) {
    match reg.0 {
        8 => (0, reg.1),
        5 => (6, reg.1),
        class => (class, reg.1),
    }
}

impl Naive {
    pub fn new(events: &[u8], instructions: &[u8]) -> Naive {
        let mut naive = Naive {
            instructions: Vec::new(),
            events: Vec::new(),
            registers: [[0; 32]; 9],
            base: 0,
        };
        naive.switch(events, instructions, 0);
        naive
    }

    pub fn switch(&mut self, events: &[u8], instructions: &[u8], now: u64) {
        self.instructions = instructions
            .chunks(16)
            .map(|b| Raw {
                opcode: b[0],
                result: (b[1], word(&b[2..])),
                left: (b[6], word(&b[7..])),
                right: (b[11], word(&b[12..])),
            })
            .collect();
        self.events = events
            .chunks(16)
            .map(|b| [word(b), word(&b[4..]), word(&b[8..]), word(&b[12..])])
            .collect();
        for (class, registers) in self.registers.iter_mut().enumerate() {
            if class != 3 {
                registers.fill(0);
            }
        }
        self.define(false);
        self.base = now;
    }

    fn define(&mut self, only_volatile: bool) {
        for index in 0..self.instructions.len() {
            let raw = self.instructions[index];
            let value = match raw.opcode {
                2 if raw.right.1 == 0x3fff_ffff => 0xffff_ffff,
                2 => u64::from(raw.right.1),
                40 => (u64::from(raw.right.1) << 32) + u64::from(raw.left.1),
                _ => return,
            };
            if !only_volatile || raw.result.0 == 5 || raw.result.0 == 8 {
                self.set(raw.result.0, raw.result.1, value);
            }
        }
    }

    pub fn reset_volatile(&mut self) {
        self.define(true);
    }

    pub fn set(&mut self, class: u8, index: u32, value: u64) {
        let (class, index) = key((class, index));
        self.registers[usize::from(class)][index as usize] = value;
    }

    pub fn get(&self, class: u8, index: u32) -> u64 {
        match class {
            1 => u64::from(index),
            _ => {
                let (class, index) = key((class, index));
                self.registers[usize::from(class)][index as usize]
            }
        }
    }

    /// Runs once; also returns how many instructions and events it looked at.
    pub fn run(&mut self, input: &Input) -> (Outcome, u32, u32) {
        for (index, value) in input.primitives.iter().enumerate() {
            let value = if index == 13 && *value == 0 {
                0xffff_ffff
            } else {
                *value
            };
            self.set(4, index as u32, value);
        }
        for flag in 0..3 {
            self.set(2, flag, 0);
        }
        self.set(2, 3, input.now_us.wrapping_sub(self.base));
        self.set(2, 4, input.cwnd);
        self.set(2, 5, input.rate);
        let (mut executed, mut looked) = (0, 0);
        let abort = self.events(input.now_us, &mut executed, &mut looked).err();
        let outcome = if abort.is_some() {
            Outcome {
                abort,
                ..Outcome::default()
            }
        } else {
            Outcome {
                cwnd: self.get(2, 4),
                rate: self.get(2, 5),
                report: self.get(2, 2) != 0,
                abort: None,
            }
        };
        (outcome, executed, looked)
    }

    fn events(&mut self, now: u64, executed: &mut u32, looked: &mut u32) -> Result<(), Abort> {
        for event in 0..self.events.len() {
            let [cond, conds, body, bodies] = self.events[event];
            *looked += 1;
            self.range(cond, cond + conds, now, executed)?;
            if self.get(2, 0) != 0 {
                self.range(body, body + bodies, now, executed)?;
                if self.get(2, 1) == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    fn range(&mut self, start: u32, end: u32, now: u64, executed: &mut u32) -> Result<(), Abort> {
        let mut at = start;
        while at < end {
            let raw = self.instructions[at as usize];
            *executed += 1;
            at += 1;
            let left = self.get(raw.left.0, raw.left.1);
            let right = self.get(raw.right.0, raw.right.1);
            let old = self.get(raw.result.0, raw.result.1);
            if raw.opcode == 38 {
                if left == 0 {
                    at += raw.right.1;
                }
                continue;
            }
            let value = compute(raw, left, right, old)?;
            self.set(raw.result.0, raw.result.1, value);
            if key(raw.result) == (2, 3) {
                self.base = now.wrapping_sub(value);
            }
        }
        Ok(())
    }
}

fn narrow(value: i128, over: Abort, under: Abort) -> Result<u64, Abort> {
    if value < 0 {
        return Err(under);
    }
    u64::try_from(value).map_err(|_| over)
}

fn compute(raw: Raw, left: u64, right: u64, old: u64) -> Result<u64, Abort> {
    let (a, b) = (u128::from(left), u128::from(right));
    let product = |x: u64, y: u64| {
        u64::try_from(u128::from(x) * u128::from(y)).map_err(|_| Abort::MulOverflow)
    };
    let fit = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
    Ok(match raw.opcode {
        0 => u64::try_from(a + b).map_err(|_| Abort::AddOverflow)?,
        1 => right,
        3 if right == 0 => return Err(Abort::DivideByZero),
        3 => left / right,
        4 => (left == right).into(),
        5 if old == 0 => right,
        5 if left <= 10 => ((a * u128::from(old) + (10 - a) * b) / 10) as u64,
        5 => {
            let plus = product(left, old)?;
            let minus = product(left - 10, right)?;
            let difference = i128::from(plus) - i128::from(minus);
            narrow(difference, Abort::MulOverflow, Abort::SubUnderflow)? / 10
        }
        6 => (left > right).into(),
        7 if left != 0 => right,
        7 => old,
        8 => (left < right).into(),
        9 => left.max(right),
        10 if left == 0 => right,
        10 if right == 0 => left,
        10 => {
            let (x, y) = (left as u32, right as u32);
            // x is ahead when stepping on from y gets there sooner than back.
            let ahead = x.wrapping_sub(y);
            let behind = y.wrapping_sub(x);
            u64::from(if ahead < behind { x } else { y })
        }
        11 => left.min(right),
        12 => product(left, right)?,
        13 if left == 0 => right,
        13 => old,
        14 => narrow(
            i128::from(left) - i128::from(right),
            Abort::AddOverflow,
            Abort::SubUnderflow,
        )?,
        32 => (left <= right).into(),
        33 => (left >= right).into(),
        34 => (left != right).into(),
        35 => (left != 0 && right != 0).into(),
        36 => (left != 0 || right != 0).into(),
        37 => (right == 0).into(),
        39 => u64::from(raw.left.1) + (u64::from(raw.right.1) << 32),
        41 => fit(a + b),
        42 => left.saturating_sub(right),
        43 => fit(a * b),
        code => panic!("opcode {code} in an event"),
    })
}
