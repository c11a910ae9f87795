// SPDX-License-Identifier: GPL-2.0
//! Makes programs smaller and faster without changing what they do.
//!
//! What a program does is: the window, the rate and the reports it asks for,
//! the abort and the place of it, and what report, control and local variables
//! and `Micros` hold after each invocation, aborted or not.

mod effects;
mod fuse;
mod uses;

use crate::flat::Program;

/// Rewrites `program`.
pub(crate) fn optimise(program: &mut Program) {
    fuse::run(program);
}
