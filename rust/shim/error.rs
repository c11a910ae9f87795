// SPDX-License-Identifier: GPL-2.0

//! Why a command is refused: an errno and a text for people.

use core::fmt;

use kernel::{
    ffi::c_int,
    prelude::*, //
};

/// Positive errnos, as the kernel's headers have them.
pub(crate) mod errno {
    pub(crate) use kernel::bindings::{
        E2BIG,
        EBUSY,
        EEXIST,
        EINVAL,
        ENOENT,
        ENOSPC,
        ENOTCONN,
        EPERM, //
    };
}

/// Attributes that can be at fault, by their numbers in the uapi.
pub(crate) mod attr {
    pub(crate) const NONE: u32 = 0;
    pub(crate) const AGENT_NAME: u32 = 2;
    pub(crate) const AGENT_ALGORITHM: u32 = 3;
    pub(crate) const PROGRAM_ID: u32 = 1;
    pub(crate) const PROGRAM_NAME: u32 = 3;
    pub(crate) const PROGRAM_EVENTS: u32 = 4;
    pub(crate) const PROGRAM_INSTRUCTIONS: u32 = 5;
    pub(crate) const FLOW_ID: u32 = 1;
    pub(crate) const FLOW_PROGRAM_ID: u32 = 3;
    pub(crate) const FLOW_UPDATES: u32 = 29;
}

/// `struct ccp_error`.
#[repr(C)]
pub(crate) struct CommandError {
    attr: u32,
    text: [u8; 252],
}

const _: () = assert!(core::mem::size_of::<CommandError>() == 256);

/// A command that was refused: a negative errno. The text is in the
/// [`CommandError`].
pub(crate) struct Refused(c_int);

impl Refused {
    /// What C returns.
    pub(crate) fn errno(&self) -> c_int {
        self.0
    }
}

impl From<kernel::error::Error> for Refused {
    fn from(error: kernel::error::Error) -> Refused {
        Refused(error.to_errno())
    }
}

impl From<kernel::alloc::AllocError> for Refused {
    fn from(_: kernel::alloc::AllocError) -> Refused {
        Refused(ENOMEM.to_errno())
    }
}

/// Writes into a buffer and drops what doesn't fit.
struct Text<'a> {
    room: core::slice::IterMut<'a, u8>,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // In this order: `zip` must not take room for a byte that isn't there.
        for (from, to) in text.bytes().zip(self.room.by_ref()) {
            *to = from;
        }
        Ok(())
    }
}

/// A name of these words, cut if too long.
pub(crate) fn write_name(name: &mut super::Name, words: fmt::Arguments<'_>) {
    // The last byte stays NUL.
    if let Some((_, room)) = name.split_last_mut() {
        let room = room.iter_mut();
        let _ = fmt::write(&mut Text { room }, words);
    }
}

impl CommandError {
    /// Whether this attribute was at fault.
    pub(crate) fn is_about(&self, attr: u32) -> bool {
        self.attr == attr
    }

    /// Says why a command is refused: `errno` is positive.
    pub(crate) fn refuse(&mut self, errno: u32, attr: u32, why: fmt::Arguments<'_>) -> Refused {
        self.attr = attr;
        self.text.fill(0);
        // The last byte stays NUL.
        if let Some((_, room)) = self.text.split_last_mut() {
            let room = room.iter_mut();
            // Too long a text is cut; nothing else can fail.
            let _ = fmt::write(&mut Text { room }, why);
        }
        Refused((errno as c_int).wrapping_neg())
    }
}
