// SPDX-License-Identifier: GPL-2.0
//! What `ccpctl new` makes works.

mod common;

use common::ccpctl;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A directory that isn't there.
fn place(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if place.exists() {
        fs::remove_dir_all(&place).expect("it goes");
    }
    place
}

fn cargo(project: &Path, arguments: &[&str]) {
    let ran = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(project)
        // Where most of what it needs is built already.
        .env(
            "CARGO_TARGET_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/.."),
        )
        .output()
        .expect("cargo runs");
    let text = String::from_utf8_lossy(&ran.stdout);
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "cargo {arguments:?}: {text}{errors}");
}

#[test]
fn a_rust_project_is_tidy_and_passes_its_tests() {
    let project = place("my_alg");
    let path = project.to_str().expect("a name");
    let said = ccpctl(&["new", "my_alg", "--rust", "--path", path], b"");
    assert!(said.good().contains("cargo test"));
    // The versions that are here: the test needs no network.
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    fs::copy(lock, project.join("Cargo.lock")).expect("a copy");
    cargo(&project, &["fmt", "--check"]);
    cargo(&project, &["test", "--offline"]);
    let program = project.join("src/my_alg.ccp");
    let checked = ccpctl(
        &["program", "check", program.to_str().expect("a name")],
        b"",
    );
    assert_eq!(checked.status, 0, "{}", checked.stderr);
}

#[test]
fn nothing_is_written_over() {
    let project = place("kept");
    fs::create_dir(&project).expect("a directory");
    let path = project.to_str().expect("a name");
    for language in ["--rust", "--python"] {
        let said = ccpctl(&["new", "kept", language, "--path", path], b"");
        assert!(said.bad().contains("exists"), "{}", said.stderr);
    }
    assert_eq!(fs::read_dir(&project).expect("it is there").count(), 0);
}

#[test]
fn mistakes_are_explained() {
    assert!(ccpctl(&["new", "A", "--rust"], b"")
        .bad()
        .contains("small letter"));
    assert!(ccpctl(&["new", "a"], b"").bad().contains("--rust"));
    let said = ccpctl(&["new", "a", "--rust", "--checkout", "/"], b"");
    assert!(said.bad().contains("no checkout"));
}
