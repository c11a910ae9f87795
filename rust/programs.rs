// SPDX-License-Identifier: GPL-2.0

//! Programs: verified once, decoded once, then never changed.

use core::{
    mem::size_of,
    sync::atomic::{
        AtomicU32,
        Ordering::Relaxed, //
    },
};

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    fallback,
    ids::id_of,
    shim::{
        Name,
        ProgramInfo, //
    },
    vm,
};

/// Value of [`Program::users`] that says that no flow may run it any more.
const REMOVED: u32 = u32::MAX;

/// Id of the built-in fallback program.
pub(crate) const BUILTIN: u32 = 0;

/// A program.
pub(crate) struct Program {
    pub(crate) id: u32,
    /// The id of the agent that installed it; 0 for the built-in one.
    pub(crate) agent: u32,
    /// That agent's number.
    pub(crate) owner: u64,
    /// A Portus client's number for it; 0 for other agents', and when the
    /// client gave the number to another.
    uid: AtomicU32,
    pub(crate) name: Name,
    code: Code,
    /// Flows that run it, or [`REMOVED`].
    users: AtomicU32,
}

/// Code that isn't a program, or no memory for it.
pub(crate) enum Unloadable {
    Code(vm::Error),
    Memory,
}

impl From<vm::Error> for Unloadable {
    fn from(error: vm::Error) -> Unloadable {
        Unloadable::Code(error)
    }
}

/// A program ready to run, without identity yet.
pub(crate) struct Code {
    header: vm::Header,
    // Not vmalloc: the last flow may drop it where nothing may sleep.
    ops: KVec<vm::Op>,
}

impl Code {
    /// Verifies and decodes the wire form.
    pub(crate) fn load(events: &[u8], instructions: &[u8]) -> Result<Code, Unloadable> {
        let layout = vm::verify(events, instructions)?;
        let mut ops = KVec::from_elem(vm::Op::default(), layout.ops, GFP_KERNEL_ACCOUNT)
            .map_err(|_| Unloadable::Memory)?;
        let header = vm::decode(events, instructions, &mut ops)?;
        Ok(Code { header, ops })
    }

    fn vm(&self) -> vm::Program<'_> {
        vm::Program::new(&self.header, &self.ops)
    }

    /// Memory it takes as a program.
    pub(crate) fn bytes(&self) -> usize {
        let ops = self.ops.len().saturating_mul(size_of::<vm::Op>());
        size_of::<Program>().saturating_add(ops)
    }
}

impl Program {
    /// Gives code an identity; `owner` is its agent's number.
    pub(crate) fn new(id: u32, owner: u64, name: Name, code: Code) -> Result<Arc<Program>> {
        let program = Program {
            id,
            agent: id_of(owner),
            owner,
            uid: AtomicU32::new(0),
            name,
            code,
            users: AtomicU32::new(0),
        };
        Ok(Arc::new(program, GFP_KERNEL_ACCOUNT)?)
    }

    /// The built-in fallback program.
    pub(crate) fn builtin() -> Result<Arc<Program>> {
        let code = match Code::load(fallback::EVENTS, fallback::INSTRUCTIONS) {
            Ok(code) => code,
            Err(Unloadable::Memory) => return Err(ENOMEM),
            Err(Unloadable::Code(error)) => {
                pr_err!("built-in fallback program: {}\n", format_args!("{error}"));
                return Err(EINVAL);
            }
        };
        if code.vm().layout().registers > vm::MIN_FILE {
            pr_err!("the built-in fallback program needs too many registers\n");
            return Err(EINVAL);
        }
        let mut name = [0; crate::shim::NAME_MAX + 1];
        for (to, from) in name.iter_mut().zip(b"builtin") {
            *to = *from;
        }
        Program::new(BUILTIN, 0, name, code)
    }

    /// What the interpreter runs.
    #[inline]
    pub(crate) fn vm(&self) -> vm::Program<'_> {
        self.code.vm()
    }

    /// Slots of the register file a flow needs for it.
    pub(crate) fn registers(&self) -> usize {
        self.vm().layout().registers
    }

    /// Its number for the Portus client that installed it.
    pub(crate) fn uid(&self) -> u32 {
        self.uid.load(Relaxed)
    }

    /// Gives it a number, or 0 to take it away. Under the command lock.
    pub(crate) fn set_uid(&self, uid: u32) {
        self.uid.store(uid, Relaxed);
    }

    /// Memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.code.bytes()
    }

    /// How many flows run it.
    pub(crate) fn users(&self) -> u32 {
        match self.users.load(Relaxed) {
            REMOVED => 0,
            users => users,
        }
    }

    /// Keeps flows from running it any more, if none does: otherwise how many
    /// do.
    pub(crate) fn retire(&self) -> Result<(), u32> {
        match self.users.compare_exchange(0, REMOVED, Relaxed, Relaxed) {
            Ok(_) | Err(REMOVED) => Ok(()),
            Err(users) => Err(users),
        }
    }

    /// What a dump shows of it.
    pub(crate) fn info(&self, is_fallback: bool) -> ProgramInfo {
        let layout = self.vm().layout();
        ProgramInfo {
            id: self.id,
            agent: self.agent,
            cost: layout.cost,
            report_fields: layout.report_fields as u32,
            registers: layout.registers as u32,
            bytes: self.bytes() as u32,
            flows: self.users(),
            fallback: u32::from(is_fallback),
            name: self.name,
        }
    }
}

/// A program in use by one flow.
pub(crate) struct Running(Arc<Program>);

impl Running {
    /// Begins to use a program; `None` when it was removed meanwhile.
    pub(crate) fn new(program: Arc<Program>) -> Option<Running> {
        let more = |users: u32| users.checked_add(1).filter(|users| *users != REMOVED);
        program.users.fetch_update(Relaxed, Relaxed, more).ok()?;
        Some(Running(program))
    }
}

impl core::ops::Deref for Running {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, Relaxed);
    }
}
