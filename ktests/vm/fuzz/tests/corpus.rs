// SPDX-License-Identifier: GPL-2.0
//! Every input that coverage-guided fuzzing kept, without the engine: each
//! target must be content with each input.

use std::{fmt::Write, panic, path::Path};

use ccp_vm_fuzz::{corpus, Target, TARGETS};

fn replay(name: &str) -> (usize, usize) {
    let target: Target = TARGETS
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, target)| *target)
        .expect("a target of that name");
    let file = format!("{}/corpus/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let inputs = corpus::read(Path::new(&file)).expect("corpus");
    let mut accepted = 0;
    let mut failed = String::new();
    for input in &inputs {
        let run = panic::catch_unwind(|| target(input));
        accepted += usize::from(matches!(run, Ok(true)));
        if run.is_err() {
            for byte in input {
                let _ = write!(failed, "{byte:02x}");
            }
            failed.push('\n');
        }
    }
    assert!(failed.is_empty(), "{name}: these inputs fail:\n{failed}");
    (accepted, inputs.len())
}

#[test]
fn program() {
    let (accepted, all) = replay("program");
    assert!(all > 500, "{all} inputs");
    assert!(accepted * 2 > all, "{accepted} of {all} run");
}

#[test]
fn wire() {
    let (accepted, all) = replay("wire");
    assert!(all > 50, "{all} inputs");
    assert!(accepted * 10 > all, "{accepted} of {all} run");
}

#[test]
fn acks() {
    let (decided, all) = replay("acks");
    assert!(all > 5, "{all} inputs");
    assert!(decided * 2 > all, "{decided} of {all} decide something");
}
