// SPDX-License-Identifier: GPL-2.0
//! `ccpctl program check`, `asm` and `disasm`.

mod common;

use common::{ccpctl, data, expect};
use serde_json::Value;
use std::path::PathBuf;

const PROGRAM: &str = "window.ccp";

const TINY: &str = ".isa 1\nwhen:\n    BIND __eventFlag, 1\ndo:\n    ADD Cwnd, Cwnd, 1448\n";

/// `TINY` as the file form has it.
const TINY_FILE: &[u8] = &[
    0x7f, b'C', b'C', b'P', 1, 0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, // header
    0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, // event
    1, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 1, 0, 0, 0, // BIND
    0, 2, 4, 0, 0, 0, 2, 4, 0, 0, 0, 1, 0xa8, 5, 0, 0, // ADD
];

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("ccpctl-test-{}-{name}", std::process::id()))
}

#[test]
fn all_forms_of_a_program_are_one_program() {
    let text = ccpctl(&["program", "disasm", PROGRAM], b"");
    let text = text.good();
    let file = ccpctl(&["program", "asm", "-"], text.as_bytes());
    assert_eq!((file.status, &*file.stderr), (0, ""));
    assert_eq!(
        ccpctl(&["program", "disasm", "-"], &file.stdout).good(),
        text
    );
    assert_eq!(
        ccpctl(&["program", "disasm", "-"], text.as_bytes()).good(),
        text
    );

    let source = std::fs::read(data(PROGRAM)).expect("the program");
    let forms = [source.as_slice(), text.as_bytes(), &file.stdout];
    let [shown, again, binary] = forms.map(|form| ccpctl(&["program", "check", "-"], form));
    assert_eq!(shown.good(), again.good());
    assert_eq!(shown.good(), binary.good());
}

/// Compiled once and kept, so that the figures stay.
const ASSEMBLED: &str = "window.casm";

#[test]
fn check_shows_what_a_program_is() {
    let shown = ccpctl(&["-d", "program", "check", ASSEMBLED], b"");
    let lines = shown.good().lines();
    // What the kernel makes of it is the kernel's business.
    let lines = lines.filter(|line| !line.starts_with("memory"));
    expect(
        "window.check",
        &lines.map(|line| line.to_owned() + "\n").collect::<String>(),
    );
    let said = ccpctl(&["-j", "program", "check", ASSEMBLED], b"");
    let said: Value = serde_json::from_str(said.good()).expect("JSON");
    assert_eq!(said["ok"], true);
    let figures = |text: &str| -> Vec<u64> {
        let line = shown.text().lines().find(|line| line.starts_with(text));
        let words = line.expect(text).split([' ', ',']);
        words.filter_map(|word| word.parse().ok()).collect()
    };
    let number = |name: &str| said[name].as_u64().expect(name);
    assert_eq!(
        figures("instructions"),
        [number("instructions"), number("wire_bytes")]
    );
    assert_eq!(figures("cost"), [number("cost")]);
    assert_eq!(
        figures("memory"),
        [number("program_bytes"), number("flow_bytes")]
    );
    let registers = [number("registers"), number("tmps"), number("constants")];
    assert_eq!(figures("registers"), registers);
    let conditions = said["events"].as_array().expect("events").iter();
    let counts = conditions.flat_map(|event| [&event["condition"], &event["body"]]);
    let counted: u64 = counts.filter_map(Value::as_u64).sum();
    assert_eq!(counted + 5, number("instructions"), "five definitions");
    let halved = said["variables"]
        .as_array()
        .expect("variables")
        .last()
        .expect("one");
    assert_eq!(
        halved.to_string(),
        r#"{"class":"control","index":1,"initial":0,"name":"halved","volatile":true}"#
    );
}

#[test]
fn the_optimiser_can_be_left_out() {
    let count = |level: &str| {
        let ran = ccpctl(&["program", "disasm", level, PROGRAM], b"");
        ran.good().lines().count()
    };
    assert!(count("-O0") > count("-O1"));
}

#[test]
fn asm_writes_the_documented_bytes() {
    assert_eq!(
        ccpctl(&["program", "asm", "-"], TINY.as_bytes()).stdout,
        TINY_FILE
    );
    let path = temporary("tiny");
    let name = path.to_str().expect("text");
    let ran = ccpctl(&["program", "asm", "-", "-o", name], TINY.as_bytes());
    assert_eq!(ran.good(), "");
    let written = std::fs::read(&path).expect("written");
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(written, TINY_FILE);
}

#[test]
fn listings_can_have_indices() {
    let ran = ccpctl(&["-d", "program", "disasm", "-"], TINY_FILE);
    let columns = |text: &str, note: &str| format!("{text:<48} # {note}\n");
    let expected = [
        ".isa 1\n\n".into(),
        columns("when:", "event 0"),
        columns("    BIND    __eventFlag, 1", "0"),
        "do:\n".into(),
        columns("    ADD     Cwnd, Cwnd, 1448", "1"),
    ];
    assert_eq!(ran.good(), expected.concat());
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let broken = TINY.replace("Cwnd, 1448", "Cwmd, 1448");
    let expected = "error[A0201]: there is no register `Cwmd`
 --> -:5:15
  |
5 |     ADD Cwnd, Cwmd, 1448
  |               ^^^^
  |
  = help: did you mean `Cwnd`?
";
    for command in ["asm", "check", "disasm"] {
        assert_eq!(
            ccpctl(&["program", command, "-"], broken.as_bytes()).bad(),
            expected
        );
    }
    let source = b"(def) (when tru (report))";
    assert!(ccpctl(&["program", "check", "-"], source)
        .bad()
        .starts_with("error[E0202]"));
    for (input, code) in [(broken.as_bytes(), "A0201"), (source, "E0202")] {
        let ran = ccpctl(&["-j", "program", "check", "-"], input);
        assert_eq!((ran.status, &*ran.stderr), (1, ""));
        let said: Value = serde_json::from_str(ran.text()).expect("JSON");
        assert_eq!(said["ok"], false);
        assert_eq!(said["diagnostics"][0]["code"], code);
        assert_eq!(said["diagnostics"][0]["severity"], "error");
    }
}

#[test]
fn what_the_verifier_refuses_can_be_looked_at() {
    let broken = TINY.replace("ADD Cwnd", "ADD Tmp.77");
    assert!(ccpctl(&["program", "asm", "-"], broken.as_bytes())
        .bad()
        .contains("A0301"));
    let file = ccpctl(&["program", "asm", "--no-verify", "-"], broken.as_bytes());
    assert_eq!(file.status, 0);
    let text = ccpctl(&["program", "disasm", "-"], &file.stdout);
    assert!(
        text.good().starts_with(
            "# The verifier refuses this program: instruction 1: result: tmp register 77"
        ),
        "{}",
        text.text()
    );
    assert!(text
        .good()
        .contains("    ADD     Tmp.77, Cwnd, 1448                   # refused: "));
    let refused = ccpctl(&["program", "check", "-"], &file.stdout);
    assert!(refused
        .bad()
        .starts_with("ccpctl: -: the verifier refuses this program: instruction 1"));
    let refused = ccpctl(&["-j", "program", "check", "-"], &file.stdout);
    assert_eq!(refused.status, 1);
    let said: Value = serde_json::from_str(refused.text()).expect("JSON");
    assert_eq!(said["diagnostics"][0]["code"], "A0301");
}

#[test]
fn files_that_are_no_program() {
    let disasm = |bytes: &[u8]| ccpctl(&["program", "disasm", "-"], bytes).bad().to_owned();
    assert_eq!(
        disasm(b"\x7fCCP\x01"),
        "ccpctl: -: the file ends within its header: it has 5 bytes\n"
    );
    let mut other = TINY_FILE.to_vec();
    other[6] = 9;
    assert_eq!(
        disasm(&other),
        "ccpctl: -: the program is for instruction set 9, not 1\n"
    );
    let mut long = TINY_FILE.to_vec();
    long[15] = 0xff;
    assert!(disasm(&long).contains("bytes where its header says"));
    assert_eq!(
        disasm(b"(def)\n\xff"),
        "ccpctl: -: line 2 is not UTF-8, and this is no assembled program\n"
    );
    assert!(disasm(&vec![b' '; 5 << 20]).contains("at most 4194304 bytes"));
    let asm = |bytes: &[u8]| ccpctl(&["program", "asm", "-"], bytes).bad().to_owned();
    assert!(asm(b"(def)").contains("no assembler text"));
    assert_eq!(asm(TINY_FILE), "ccpctl: -: this is assembled already\n");
    let missing = ccpctl(&["program", "check", "missing.ccp"], b"");
    assert_eq!(
        missing.bad(),
        "ccpctl: missing.ccp: No such file or directory (os error 2)\n"
    );
}

#[test]
fn damaged_files_do_no_harm() {
    let disasm = |bytes: &[u8]| ccpctl(&["program", "disasm", "-"], bytes);
    let text = disasm(TINY_FILE);
    for at in 0..TINY_FILE.len() {
        let mut file = TINY_FILE.to_vec();
        file[at] ^= 0x55;
        let ran = disasm(&file);
        assert!(ran.status < 2, "{at}: {ran:?}");
        assert_ne!(ran.stdout, text.stdout, "{at}");
        assert!(disasm(&TINY_FILE[..at]).status < 2);
    }
}

#[test]
fn the_recording_program_compiles() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/record.ccp");
    let said = ccpctl(&["-j", "program", "check", program], b"");
    let said: Value = serde_json::from_str(said.good()).expect("JSON");
    assert_eq!(said["diagnostics"], serde_json::json!([]));
    assert_eq!(said["report_fields"].as_array().map(Vec::len), Some(16));
}

#[test]
fn what_is_no_json_is_not_given_for_it() {
    for command in [&["disasm", PROGRAM][..], &["trace"], &["record"]] {
        let mut arguments = vec!["-j", "program"];
        arguments.extend(command);
        let ran = ccpctl(&arguments, b"");
        assert!(ran.bad().ends_with("leave out -j\n"), "{}", ran.stderr);
    }
}

#[test]
fn fields_of_a_report_have_names_of_their_own() {
    let text = ".isa 1\n.name Report.acked = Report.0\n.name acked = Report.1\n\
                .name Report.Report.3 = Report.2\nwhen:\n BIND __eventFlag, 1\ndo:\n \
                BIND Report.0, 1\n BIND Report.1, 2\n BIND Report.2, 3\n BIND Report.3, 4\n";
    let said = ccpctl(&["-j", "program", "check", "-"], text.as_bytes());
    let said: Value = serde_json::from_str(said.good()).expect("JSON");
    assert_eq!(
        said["report_fields"],
        serde_json::json!(["Report.acked", "acked", "Report.Report.3", "Report.3"])
    );
}
