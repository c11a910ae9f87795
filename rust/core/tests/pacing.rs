// SPDX-License-Identifier: GPL-2.0

//! The rate that goes with a window when no program sets one.

#![allow(missing_docs)]

use ccp_core::tcp::Ack;

fn facts() -> Ack {
    Ack {
        mss: 1000,
        srtt_us: 100_000,
        ssthresh: 100,
        max_pacing_rate: u64::MAX,
        ..Ack::default()
    }
}

#[test]
fn follows_the_window() {
    // 40 packets of 1000 bytes in 100 ms are 400,000 bytes per second.
    assert_eq!(facts().customary_rate(40), 800_000);
    assert_eq!(facts().customary_rate(50), 600_000);
    assert_eq!(facts().customary_rate(100), 1_200_000);
}

#[test]
fn none_without_an_rtt() {
    let ack = Ack {
        srtt_us: 0,
        ..facts()
    };
    assert_eq!(ack.customary_rate(40), 0);
}

#[test]
fn at_most_the_limit() {
    let ack = Ack {
        max_pacing_rate: 1234,
        ..facts()
    };
    assert_eq!(ack.customary_rate(40), 1234);
}

#[test]
fn great_numbers_saturate() {
    let ack = Ack {
        mss: u32::MAX,
        srtt_us: 1,
        ..facts()
    };
    assert_eq!(ack.customary_rate(u32::MAX), u64::MAX);
}
