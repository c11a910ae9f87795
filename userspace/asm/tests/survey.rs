// SPDX-License-Identifier: GPL-2.0
//! What a survey says of a program.

use ccp_asm::{assemble, Survey};
use ccp_core::vm::isa::MAX_CONSTANTS;
use std::fmt::Write as _;

fn survey(text: &str) -> Survey {
    let assembly = assemble("test", text).unwrap_or_else(|errors| panic!("{errors}"));
    Survey::new(&assembly.program, &assembly.names)
}

#[test]
fn variables_with_their_definitions() {
    let survey = survey(
        ".isa 1
        .name floor = Control.1
        .name Report.acked = VReport.0
        def:
            DEF VReport.0, 7
            DEF Control.1, 1073741823
            DEF64 VControl.0, 5000000000
        when:
            BIND __eventFlag, Flow.was_timeout
        do:
            BIND Report.2, Micros
            ADD Tmp.2, Report.0, Control.0
            BIND Local.3, Tmp.2
            BIND Control.5, Flow.mss",
    );
    let variables: Vec<_> = survey
        .variables
        .iter()
        .map(|v| (v.name.as_str(), v.reg.index, v.volatile, v.initial))
        .collect();
    assert_eq!(
        variables,
        [
            ("Report.acked", 0, true, Some(7)),
            ("Report.2", 2, false, Some(0)),
            ("VControl.0", 0, true, Some(5_000_000_000)),
            ("floor", 1, false, Some(u32::MAX.into())),
            ("Control.5", 5, false, Some(0)),
            ("Local.3", 3, false, None),
        ]
    );
    assert_eq!((survey.tmps, survey.constants), (3, 0));
    assert_eq!(survey.primitives, [14, 17]);
    assert_eq!(survey.implicits, [3]);
    assert_eq!(
        (survey.events[0].cond_count, survey.events[0].body_count),
        (1, 4)
    );
}

/// A constant is what the verifier counts as one.
#[test]
fn constants_are_the_verifiers() {
    let program = |count: usize| {
        let mut text =
            String::from(".isa 1\ndef:\nDEF Report.0, 77777\nwhen:\nBIND __eventFlag, 1\ndo:\n");
        for value in 1..count {
            // The value again, the left of a NOT and a skip's count are none.
            writeln!(
                text,
                "CONST Local.0, {value}\nMAX Local.1, Local.0, {value}"
            )
            .expect("text");
            writeln!(text, "NOT Local.1, 66666, Local.1\nSKIPZ 1, 1").expect("text");
        }
        text + "CONST Local.0, 5000000000\n"
    };
    assert_eq!(survey(&program(MAX_CONSTANTS)).constants, MAX_CONSTANTS);
    assert!(assemble("test", &program(MAX_CONSTANTS + 1)).is_err());
}
