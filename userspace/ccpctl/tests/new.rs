// SPDX-License-Identifier: GPL-2.0
//! What `ccpctl new` makes works.

mod common;

use common::ccpctl;
use std::{
    collections::BTreeSet,
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

/// The packages of a Cargo.lock and their versions.
fn versions(lock: &Path) -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(lock).expect("a lock file");
    let value = |line: Option<&str>, key| {
        let quoted = line.and_then(|line| line.strip_prefix(key));
        quoted.map(|text| text.trim_matches('"').to_owned())
    };
    let mut packages = text.split("[[package]]\n").map(str::lines);
    packages.next();
    packages
        .map(|mut lines| {
            let name = value(lines.next(), "name = ").expect("a name");
            let version = value(lines.next(), "version = ").expect("a version");
            (name, version)
        })
        .collect()
}

#[test]
fn a_rust_project_is_tidy_and_passes_its_tests() {
    let project = place("my_alg");
    let path = project.to_str().expect("a name");
    let said = ccpctl(&["new", "my_alg", "--rust", "--path", path], b"");
    assert!(said.good().contains("cargo test"));
    cargo(&project, &["fmt", "--check"]);
    cargo(&project, &["test", "--offline"]);
    let versions = versions(&project.join("Cargo.lock"));
    let tested = self::versions(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../Cargo.lock"
    )));
    let other: Vec<_> = versions.difference(&tested).collect();
    assert_eq!(other, [&("my_alg".to_owned(), "0.1.0".to_owned())]);
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
