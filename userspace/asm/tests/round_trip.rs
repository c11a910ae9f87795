// SPDX-License-Identifier: GPL-2.0
//! Bytes to text and back are the same bytes, whatever they are; the file keeps
//! them too. No text makes the assembler panic. `PROPTEST_CASES` runs more.

use ccp_asm::{assemble, assemble_unverified, disassemble, Listing, Names};
use ccp_core::vm::{
    self,
    isa::{Class, Event, Instruction, Opcode, Reg},
};
use ccp_lang::{Binary, Options};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

const BOTH: [Listing; 2] = [Listing { indices: false }, Listing { indices: true }];

/// Checks both ways round; the text without notes.
fn check(program: &Binary, names: &Names) -> String {
    let verified = vm::verify(&program.events, &program.instructions).is_ok();
    let [text, noted] = BOTH.map(|listing| disassemble(program, names, listing));
    for text in [&text, &noted] {
        let again = assemble_unverified("again", text).unwrap_or_else(|d| panic!("{d}\n{text}"));
        assert_eq!(again.program, *program, "{text}");
        assert_eq!(assemble("again", text).is_ok(), verified, "{text}");
        assert_eq!(text.contains("The verifier refuses"), !verified, "{text}");
    }
    if let Ok(file) = ccp_asm::write(program, names) {
        let (kept, _) = ccp_asm::read(&file).expect("what was written is read");
        assert_eq!(kept, *program);
    }
    text
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(folder);
    let entries = std::fs::read_dir(folder).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|e| e == "ccp"))
        .collect()
}

#[test]
fn compiled_programs_keep_their_names() {
    let mut seen = 0;
    for folder in [
        "lang/tests/programs",
        "algorithms/src/reno",
        "../rust/core/fallback",
    ] {
        for path in sources(folder) {
            let source = std::fs::read_to_string(&path).expect("text");
            for optimise in [false, true] {
                let options = Options { optimise };
                let name = path.display().to_string();
                let compiled = ccp_lang::compile_with(&name, &source, options).expect(&name);
                let names = Names::from(&compiled.symbols);
                let text = check(&compiled.program, &names);
                let again = assemble(&name, &text).expect("it assembles");
                assert_eq!(again.names, names, "{text}");
                let file = ccp_asm::write(&compiled.program, &names).expect("it is whole");
                assert_eq!(ccp_asm::read(&file), Ok((compiled.program, names)));
                assert!(!text.contains("VReport.0,"), "{text}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 40, "only {seen} programs found");
}

fn bytes(instructions: &[Instruction]) -> Vec<u8> {
    instructions.iter().flat_map(|i| i.to_bytes()).collect()
}

/// An operand, mostly one that exists.
fn operand() -> impl Strategy<Value = Reg> {
    let index = prop_oneof![6 => 0_u32..6, 2 => 0_u32..40, 1 => any::<u32>(), 1 => Just(u32::MAX)];
    let class = prop::sample::select(&Class::ALL[..]);
    (class, index, 0_u8..20).prop_map(|(class, index, wild)| {
        let most = if wild == 0 {
            u32::MAX
        } else {
            class.max_index()
        };
        Reg::new(class, index.min(most))
    })
}

fn instruction() -> impl Strategy<Value = Instruction> {
    let opcode = prop_oneof![
        4 => prop::sample::select(Opcode::ALL),
        2 => Just(Opcode::SkipZ),
        1 => Just(Opcode::Const),
    ];
    let custom = prop_oneof![2 => Just(0_u8), 1 => Just(1), 1 => Just(2)];
    (opcode, operand(), operand(), operand(), 0_u32..9, custom).prop_map(
        |(opcode, result, left, right, few, custom)| {
            let immediate = |index| Reg::new(Class::Immediate, index);
            let (left, right) = match (opcode, custom) {
                (Opcode::SkipZ, 0 | 1) => (left, immediate(few)),
                (Opcode::Const | Opcode::Def64, 0 | 1) => {
                    (immediate(left.index), immediate(right.index))
                }
                (_, 1) => (result, right),
                _ => (left, right),
            };
            let flag = Reg::new(Class::Implicit, 0);
            let result = if opcode == Opcode::SkipZ && custom == 0 {
                flag
            } else {
                result
            };
            Instruction {
                opcode,
                result,
                left,
                right,
            }
        },
    )
}

/// Any units, and maybe a part of one more.
fn units() -> impl Strategy<Value = Vec<u8>> {
    let unit = prop_oneof![
        6 => instruction().prop_map(|i| i.to_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 16),
    ];
    let rest = prop_oneof![6 => Just(vec![]), 1 => prop::collection::vec(any::<u8>(), 1..16)];
    (prop::collection::vec(unit, 0..30), rest).prop_map(|(units, rest)| {
        let mut bytes = units.concat();
        bytes.extend(rest);
        bytes
    })
}

/// Events that follow each other, or do not quite.
fn events(count: u32) -> impl Strategy<Value = Vec<u8>> {
    let lengths = prop::collection::vec((0_u32..6, 0_u32..6), 0..6);
    (0..count.saturating_add(1), lengths, 0_u8..8, any::<u32>()).prop_map(
        move |(start, lengths, wild, random)| {
            let mut next = start;
            let mut events = Vec::new();
            for (condition, body) in lengths {
                events.push(Event {
                    cond_start: next,
                    cond_count: condition,
                    body_start: next + condition,
                    body_count: body,
                });
                next += condition + body;
            }
            if let Some(last) = events.last_mut() {
                // To the end, so that the blocks are whole.
                last.body_count = count.saturating_sub(last.body_start);
                if wild == 0 {
                    last.body_count = random;
                } else if wild == 1 {
                    last.cond_start = random;
                }
            }
            let mut bytes: Vec<u8> = events.iter().flat_map(|e| e.to_bytes()).collect();
            if wild == 2 {
                bytes.truncate(bytes.len().saturating_sub(5));
            }
            bytes
        },
    )
}

/// Programs the verifier takes: what it has against one is replaced.
fn verifiable() -> impl Strategy<Value = Binary> {
    let block = || prop::collection::vec(instruction(), 0..12);
    let defs = prop::collection::vec((0_u32..16, 0_usize..4, any::<u32>()), 0..8);
    (defs, prop::collection::vec((block(), block()), 1..5)).prop_map(|(defs, blocks)| {
        let flag = Reg::new(Class::Implicit, 0);
        let bind = |result| Instruction {
            opcode: Opcode::Bind,
            result,
            left: result,
            right: Reg::new(Class::Immediate, 1),
        };
        let mut code: Vec<Instruction> = Vec::new();
        for (index, class, value) in defs {
            let class = [0, 5, 6, 8][class];
            let reg = Reg::new(Class::from_code(class).expect("a class"), index);
            let kind = |reg: Reg| (matches!(reg.class as u8, 0 | 8), reg.index);
            if code.iter().all(|def| kind(def.result) != kind(reg)) {
                let right = Reg::new(Class::Immediate, value);
                let (opcode, left) = if value % 2 == 0 {
                    (Opcode::Def, reg)
                } else {
                    (Opcode::Def64, right)
                };
                code.push(Instruction {
                    opcode,
                    result: reg,
                    left,
                    right,
                });
            }
        }
        let mut events = Vec::new();
        for (condition, body) in &blocks {
            let cond_start = u32::try_from(code.len()).expect("few");
            // A DEF at the start of the first would be a definition.
            code.extend(
                condition
                    .iter()
                    .map(|instruction| match instruction.opcode {
                        Opcode::Def | Opcode::Def64 => bind(flag),
                        _ => *instruction,
                    }),
            );
            code.push(bind(flag));
            let body_start = u32::try_from(code.len()).expect("few");
            code.extend(body);
            events.push(Event {
                cond_start,
                cond_count: body_start - cond_start,
                body_start,
                body_count: u32::try_from(body.len()).expect("few"),
            });
        }
        let events: Vec<u8> = events.iter().flat_map(|e| e.to_bytes()).collect();
        while let Err(error) = vm::verify(&events, &bytes(&code)) {
            let vm::Place::Instruction(at) = error.place else {
                panic!("{error}");
            };
            code[at as usize] = bind(flag);
        }
        Binary {
            events,
            instructions: bytes(&code),
        }
    })
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes(events in prop::collection::vec(any::<u8>(), 0..70),
                 instructions in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&Binary { events, instructions }, &Names::default());
    }

    #[test]
    fn any_units((events, instructions) in units().prop_flat_map(|units| {
        let count = u32::try_from(units.len() / 16).expect("few");
        (events(count), Just(units))
    })) {
        check(&Binary { events, instructions }, &Names::default());
    }

    #[test]
    fn programs(program in verifiable()) {
        prop_assert!(vm::verify(&program.events, &program.instructions).is_ok());
        let mut names = Names::default();
        for (class, index, name) in [
            (Class::VolatileReport, 0, "Report.acked"),
            (Class::NonvolatileReport, 0, "L1"),
            (Class::Tmp, 1, "scratch"),
            (Class::Primitive, 3, "p\u{e9}age"),
            (Class::Implicit, 0, "when"),
        ] {
            names.insert(Reg::new(class, index), name).expect("a name");
        }
        let text = check(&program, &names);
        prop_assert_eq!(assemble("again", &text).expect("it assembles").names, names);
    }

    #[test]
    fn any_file(mut file in prop::collection::vec(any::<u8>(), 0..80), program in verifiable(),
                at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        // With the right start, and as a damaged real one.
        let mut names = Names::default();
        names.insert(Reg::new(Class::Local, 2), "local").expect("a name");
        let mut real = ccp_asm::write(&program, &names).expect("it is whole");
        let place = at.index(real.len());
        real[place] = byte;
        file.splice(0..0, real.iter().copied().take(12));
        for file in [file, real[..place].to_vec(), real] {
            if let Ok((program, names)) = ccp_asm::read(&file) {
                check(&program, &names);
            }
        }
    }
}

const PIECES: &[&str] = &[
    ".isa 1",
    ".isa",
    ".name",
    ".event",
    ".raw",
    ".rawevent",
    "def:",
    "when:",
    "do:",
    "code:",
    "L1:",
    "L1",
    "L2",
    ":",
    ",",
    ",",
    "=",
    "#",
    "\n",
    "\n",
    "\n",
    "\r\n",
    " ",
    "DEF",
    "DEF64",
    "BIND",
    "ADD",
    "SKIPZ",
    "CONST",
    "NOT",
    "EWMA",
    "bind",
    "Cwnd",
    "__eventFlag",
    "Report.0",
    "VReport.3",
    "Tmp.1",
    "Tmp.99",
    "Local.0",
    "Control.4294967296",
    "acked",
    "0",
    "1",
    "0xff",
    "4294967296",
    "infinity",
    "18446744073709551616",
    "1a",
    "00",
    "ff",
    "+",
    "(",
    "\u{feff}",
    "\u{e9}",
    "\u{1f600}",
    ".isa 1\nwhen:\nBIND __eventFlag, 1\ndo:\n",
];

fn soup() -> impl Strategy<Value = String> {
    let piece = (0..PIECES.len(), any::<bool>());
    prop::collection::vec(piece, 0..60).prop_map(|pieces| {
        pieces.into_iter().fold(String::new(), |text, (i, space)| {
            text + PIECES[i] + if space { " " } else { "" }
        })
    })
}

/// Whatever the text, the answer is a program that can be listed again, or
/// errors that can be shown.
fn text(source: &str) {
    match assemble_unverified("fuzz.casm", source) {
        Ok(assembly) => {
            check(&assembly.program, &assembly.names);
        }
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty());
            for (diagnostic, record) in diagnostics.iter().zip(diagnostics.records()) {
                assert!(source.get(diagnostic.span.clone()).is_some());
                assert!(record.start.line >= 1 && record.start.column >= 1);
                assert!(diagnostic.help.is_some(), "{}", diagnostic.code);
            }
            diagnostics.render(true);
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text(source in "\\PC*") {
        text(&source);
    }

    #[test]
    fn token_soup(source in soup()) {
        text(&source);
    }

    #[test]
    fn damaged_listings(program in verifiable(), at in any::<prop::sample::Index>(),
                        len in 0_usize..4, piece in 0..PIECES.len()) {
        let listing = disassemble(&program, &Names::default(), Listing::default());
        let start = at.index(listing.len());
        let end = (start + len).min(listing.len());
        text(&format!("{}{}{}", &listing[..start], PIECES[piece], &listing[end..]));
    }
}

#[test]
fn many_mistakes_take_little_time() {
    let source = format!(
        ".isa 1\ndef:\n{}",
        "XYZ Report.acke, Ack.byte\n".repeat(100_000)
    );
    let started = std::time::Instant::now();
    text(&source);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
