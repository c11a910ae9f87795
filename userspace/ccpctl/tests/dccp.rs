// SPDX-License-Identifier: GPL-2.0
//! `ccpctl dccp calc`, against rows computed with 60 digits.

mod common;

use common::ccpctl;

fn calc(arguments: &[&str]) -> f64 {
    let all = [&["dccp", "calc"], arguments].concat();
    let ran = ccpctl(&all, b"");
    let word = ran.good().split_whitespace().last().expect("a word");
    word.parse().expect("a number")
}

fn within(found: f64, wanted: f64, error: f64) {
    assert!((found / wanted - 1.0).abs() < error, "{found} for {wanted}");
}

fn near(found: f64, wanted: f64) {
    within(found, wanted, 1e-6);
}

#[test]
fn the_rate() {
    let of = |s, rtt, p, j, n| calc(&["--s", s, "--rtt", rtt, "--p", p, "--j", j, "--n", n]);
    near(of("1460", "0.1", "0.01", "1", "4"), 695_550.560_636_886_8);
    near(
        of("1460", "0.05", "0.005", "3.25", "6"),
        1_735_129.114_824_025,
    );
    // N is a multiple of 2^-16.
    within(
        of("100", "2.5", "0.6", "1.3", "0.1"),
        0.434_101_475_373_292_1,
        2e-4,
    );
    near(
        of("1460", "0.2", "0.00000001", "1", "6"),
        536_445_533.390_584_6,
    );
    // p = 1: a packet per 64 s.
    near(of("1460", "0.1", "1", "5", "4"), 1460.0 / 64.0);
    // j is 1 unless given.
    near(
        calc(&["--s", "1460", "--rtt", "0.1", "--p", "0.01", "--n", "4"]),
        695_550.560_636_886_8,
    );
}

#[test]
fn the_inverse() {
    let of = |x, n| calc(&["--s", "1000", "--rtt", "1", "--n", n, "--inverse", "--x", x]);
    near(of("10000", "6"), 0.100_908_715_688);
    near(of("200000", "2"), 0.000_149_846_273_78);
    let all = ["--s", "1460", "--rtt", "0.05", "--j", "3.25", "--n", "6"];
    let x = ["--inverse", "--x", "1735129.114824025"];
    near(calc(&[&all[..], &x[..]].concat()), 0.005);
}

#[test]
fn nonsense_is_refused() {
    let good = [
        "--s", "1460", "--rtt", "0.1", "--p", "0.01", "--j", "1", "--n", "4",
    ];
    for (name, values) in [
        ("--s", &["0", "-1", "65536", "1.5", "NaN"][..]),
        ("--rtt", &["0", "-1", "inf", "NaN", "5000", "0.0000001"]),
        ("--p", &["0", "-0.1", "1.1", "NaN", "1e-300"]),
        ("--j", &["0", "0.9", "-1", "65536", "NaN"]),
        ("--n", &["0", "-1", "64.1", "NaN", "1e-9"]),
    ] {
        for value in values {
            let at = good
                .iter()
                .position(|word| *word == name)
                .expect("an option");
            let mut arguments = vec!["dccp", "calc"];
            arguments.extend(good);
            arguments[at + 3] = value;
            let ran = ccpctl(&arguments, b"");
            assert!(ran.bad().contains(name), "{name} {value}: {}", ran.stderr);
        }
    }
    for arguments in [
        &["--s", "1460", "--rtt", "0.1", "--n", "4"][..],
        &["--s", "1460", "--rtt", "0.1", "--n", "4", "--inverse"],
        &["--s", "1460", "--rtt", "0.1", "--n", "4", "--x", "1000"],
        &[
            "--s",
            "1460",
            "--rtt",
            "0.1",
            "--n",
            "4",
            "--inverse",
            "--x",
            "0",
        ],
        &[
            "--s",
            "1460",
            "--rtt",
            "0.1",
            "--n",
            "4",
            "--inverse",
            "--x",
            "1",
        ],
        &[
            "--s",
            "1460",
            "--rtt",
            "0.1",
            "--n",
            "4",
            "--inverse",
            "--x",
            "1e14",
        ],
    ] {
        ccpctl(&[&["dccp", "calc"], arguments].concat(), b"").bad();
    }
}
