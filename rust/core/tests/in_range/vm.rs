// SPDX-License-Identifier: GPL-2.0

//! The machine's own files once more, and beside them one that may look at what
//! they keep to themselves.

#![allow(dead_code, unused_imports, reason = "only what `look` needs is used")]

#[path = "../../vm/alias.rs"]
mod alias;
#[path = "../../vm/branch.rs"]
mod branch;
#[path = "../../vm/decode.rs"]
mod decode;
#[path = "../../vm/error.rs"]
mod error;
#[path = "../../vm/fold.rs"]
mod fold;
#[path = "../../vm/interp.rs"]
mod interp;
#[path = "../../vm/isa.rs"]
mod isa;
#[path = "../../vm/layout.rs"]
mod layout;
pub(crate) mod look;
#[path = "../../vm/program.rs"]
mod program;
#[path = "../../vm/skips.rs"]
mod skips;
#[path = "../../vm/state.rs"]
mod state;
#[path = "../../vm/tree.rs"]
mod tree;
#[path = "../../vm/verify.rs"]
mod verify;
#[path = "../../vm/wire.rs"]
mod wire;

use program::Op;
