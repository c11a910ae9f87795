// SPDX-License-Identifier: GPL-2.0
//! Our virtual machine as a datapath of one flow.

use ccp_core::vm::{self, Header, Op, Output, Program, State};

use crate::{AckSample, Code, Datapath, Effects, Refusal, Update};

/// `ccp-core` with programs and a flow.
pub struct Ours {
    programs: Vec<Installed>,
    /// Place of the flow's program.
    current: Option<usize>,
    state: State,
    file: Vec<u64>,
    /// The program to change to, and the updates that wait.
    next: Option<usize>,
    updates: Vec<Update>,
    effects: Effects,
}

struct Installed {
    uid: u32,
    header: Header,
    ops: Vec<Op>,
}

impl Installed {
    fn program(&self) -> Program<'_> {
        Program::new(&self.header, &self.ops)
    }
}

impl Ours {
    /// A datapath without programs.
    pub fn new() -> Self {
        Self {
            programs: Vec::new(),
            current: None,
            state: State::default(),
            file: vec![0; 256],
            next: None,
            updates: Vec::new(),
            effects: Effects::default(),
        }
    }

    /// Does what waits for an ACK; returns what the program is to see of it.
    #[cold]
    fn apply_waiting(&mut self, ack: &AckSample) -> AckSample {
        let mut ack = *ack;
        if let Some(next) = self.next.take() {
            self.current = Some(next);
            let program = self.programs[next].program();
            self.state.install(program, &mut self.file, ack.now_us);
        }
        if let Some(current) = self.current {
            let program = self.programs[current].program();
            for update in self.updates.drain(..) {
                let Update {
                    class,
                    index,
                    value,
                } = update;
                let file = &mut self.file;
                match self.state.update(program, file, class, index, value) {
                    Ok(Some(Output::Cwnd)) if value != 0 => {
                        ack.cwnd = value;
                        self.effects.cwnd = Some(value);
                    }
                    Ok(Some(Output::Rate)) if value != 0 => {
                        ack.rate = value;
                        self.effects.rate = Some(value);
                    }
                    Ok(_) => {}
                    Err(error) => unreachable!("checked before: {error}"),
                }
            }
        }
        ack
    }

    /// Checks updates against the program that will run at the next ACK.
    fn check(&self, updates: &[Update]) -> Result<(), Refusal> {
        let Some(program) = self.next.or(self.current) else {
            return Err(Refusal::UnknownProgram(0));
        };
        let program = self.programs[program].program();
        for update in updates {
            State::check_update(program, update.class, update.index, update.value)
                .map_err(Refusal::Verifier)?;
        }
        Ok(())
    }
}

impl Default for Ours {
    fn default() -> Self {
        Self::new()
    }
}

impl Datapath for Ours {
    fn install(&mut self, uid: u32, events: &[u8], instructions: &[u8]) -> Result<(), Refusal> {
        let layout = vm::verify(events, instructions).map_err(Refusal::Verifier)?;
        let mut ops = vec![Op::default(); layout.ops];
        let header = vm::decode(events, instructions, &mut ops).map_err(Refusal::Verifier)?;
        if uid == 1 {
            self.programs.clear();
            self.current = None;
            self.next = None;
            self.updates.clear();
        }
        self.programs.push(Installed { uid, header, ops });
        Ok(())
    }

    fn change_program(&mut self, uid: u32, updates: &[Update]) -> Result<(), Refusal> {
        let found = self.programs.iter().position(|p| p.uid == uid);
        let before = self.next;
        self.next = Some(found.ok_or(Refusal::UnknownProgram(uid))?);
        if let Err(refusal) = self.check(updates) {
            self.next = before;
            return Err(refusal);
        }
        self.updates.clear();
        self.updates.extend_from_slice(updates);
        Ok(())
    }

    fn update(&mut self, updates: &[Update]) -> Result<(), Refusal> {
        self.check(updates)?;
        self.updates.extend_from_slice(updates);
        Ok(())
    }

    #[inline]
    fn invoke(&mut self, ack: &AckSample) -> Result<&Effects, Code> {
        self.effects.clear();
        let changed;
        let ack = if self.next.is_none() && self.updates.is_empty() {
            ack
        } else {
            changed = self.apply_waiting(ack);
            &changed
        };
        let current = self.current.ok_or(Code::NO_PROGRAM)?;
        let program = self.programs[current].program();
        let outcome = self.state.invoke(program, &mut self.file, ack);
        if let Some(abort) = outcome.abort {
            return Err(abort.into());
        }
        if outcome.cwnd != 0 {
            self.effects.cwnd = Some(outcome.cwnd);
        }
        if outcome.rate != 0 {
            self.effects.rate = Some(outcome.rate);
        }
        if outcome.report {
            let report = self.state.report(program, &self.file);
            self.effects.set_report(report);
            self.state.reset_volatile(program, &mut self.file);
        }
        Ok(&self.effects)
    }

    fn effects(&self) -> &Effects {
        &self.effects
    }

    fn restart(&mut self) {
        self.current = None;
        self.next = None;
        self.updates.clear();
        self.state = State::default();
        self.file.fill(0);
        self.effects.clear();
    }
}
