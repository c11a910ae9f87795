// SPDX-License-Identifier: GPL-2.0
//! Running the tool.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test takes what it needs of this"
)]

use serde_json::Value;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What one run of the tool gave.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ran {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("text")
    }

    /// The standard output of a run that went well and had no complaint.
    #[track_caller]
    pub fn good(&self) -> &str {
        assert_eq!((self.status, &*self.stderr), (0, ""), "{self:?}");
        self.text()
    }

    /// The standard error of a run that found a mistake in its input.
    #[track_caller]
    pub fn bad(&self) -> &str {
        assert_eq!((self.status, self.text()), (1, ""), "{self:?}");
        &self.stderr
    }
}

/// Runs the tool in the folder of the test data.
pub fn ccpctl(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ccpctl"))
        .args(arguments)
        .current_dir(data(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // It need not read all of it.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic");
    Ran {
        status: output.status.code().expect("no signal"),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Runs a program given as text, which is called `p` in what is said, over a
/// trace given as text.
pub fn run(program: &str, trace: &str, arguments: &[&str]) -> Ran {
    let path = std::env::temp_dir().join(format!(
        "ccpctl-test-{}-{:?}.ccp",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::write(&path, program).expect("written");
    let name = path.to_str().expect("text");
    let mut all = vec!["program", "run", name, "--acks", "-"];
    all.extend(arguments);
    let mut ran = ccpctl(&all, trace.as_bytes());
    std::fs::remove_file(&path).expect("removed");
    ran.stderr = ran.stderr.replace(name, "p");
    ran.stdout = ran.text().replace(name, "p").into_bytes();
    ran
}

/// JSON, an object on each line.
pub fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("JSON on each line")
}

/// A file of the test data.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// Checks a text against a file of the test data; `UPDATE=1` writes it anew.
#[track_caller]
pub fn expect(name: &str, text: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(data(name), text).expect("written");
    }
    let expected = std::fs::read_to_string(data(name)).expect(name);
    assert_eq!(text, expected, "{name}; UPDATE=1 writes it anew");
}
