// SPDX-License-Identifier: GPL-2.0
//! Makes programs smaller and faster without changing what they do.
//!
//! What a program does is: the window, the rate and the reports it asks for,
//! the abort and the place of it, and what report, control and local variables
//! and `Micros` hold after each invocation, aborted or not.

mod branches;
mod clauses;
mod compare;
mod dead;
mod effects;
pub(crate) mod fold;
mod fuse;
mod numbers;
mod reassociate;
mod schedule;
mod short;
mod simplify;
mod state;
mod uses;
mod values;

use crate::flat::Program;

/// One pass makes room for another; few programs need more than three rounds.
const ROUNDS: usize = 10;

/// Rewrites `program`. At most `shared` intermediate values are kept at once
/// for other expressions than their own.
pub(crate) fn optimise(program: &mut Program, shared: usize) {
    for _ in 0..ROUNDS {
        let before = program.clone();
        fuse::run(program);
        branches::run(program);
        reassociate::run(program);
        let notes = values::run(program, shared);
        dead::run(program, &notes);
        clauses::run(program, notes);
        if *program == before {
            break;
        }
    }
    schedule::run(program);
    short::run(program);
}
