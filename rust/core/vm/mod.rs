// SPDX-License-Identifier: GPL-2.0

//! The datapath virtual machine: verifier, decoder and interpreter.
//!
//! A program comes in the wire form of `docs/isa.md`. [`verify`] checks it and
//! says what memory it needs, [`decode`] turns it once into [`Op`]s, and a
//! flow's [`State`] runs them on each ACK over the flow's register file.
//!
//! The caller owns all memory. A flow's file is a `[u64]` of at least
//! [`MIN_FILE`] slots, zeroed when the flow begins. A flow that needs a bigger
//! one keeps its first [`MIN_FILE`] slots: the local registers live there.

mod alias;
mod branch;
mod decode;
mod error;
mod fold;
mod interp;
pub mod isa;
mod layout;
mod program;
mod skips;
mod state;
mod tree;
mod verify;
mod wire;

pub use self::{
    decode::decode,
    error::{
        Error,
        Kind,
        Operand,
        Place, //
    },
    interp::Abort,
    isa::{
        ISA_VERSION,
        MAX_EVENTS,
        MAX_INSTRUCTIONS,
        PRIMITIVES, //
    },
    layout::{
        Layout,
        MIN_FILE, //
    },
    program::{
        Header,
        Op,
        Program, //
    },
    state::{
        measurements,
        Input,
        Outcome,
        Output,
        Start,
        State, //
    },
    verify::verify, //
};
