// SPDX-License-Identifier: GPL-2.0

use crate::{bound, doubles, flows, precise::Precise, relative, shape, weight};
use ccp_core::multfrc::{equation::MAX_BACKOFF, Conditions, Weight};
use proptest::prelude::*;

/// Any I, many of them small, in 2^-16.
fn intervals() -> impl Strategy<Value = u64> {
    prop_oneof![
        (2_u64 << 16)..(10 << 16),
        (2_u64 << 16)..(70_000 << 16),
        (17_u32..48, 0_u64..1 << 16).prop_map(|(bits, low)| (1 << bits) | low),
        ((1_u64 << 16) + 1)..(2 << 16),
    ]
}

/// Any j up to 64, in 2^-16.
fn losses() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(1 << 16),
        (1_u32 << 16)..(2 << 16),
        (1_u32 << 16)..(64 << 16)
    ]
}

/// Any N, in 2^-16.
fn weights() -> impl Strategy<Value = u32> {
    prop_oneof![
        (1_u32 << 16)..=(6 << 16),
        (1_u32 << 12)..(1 << 16),
        (6_u32 << 16)..(12 << 16),
        (12_u32 << 16)..=(64 << 16),
        1_u32..=(64 << 16),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn it_is_exact_to_its_bound(i in intervals(), j in losses(), n in weights()) {
        let weight = Weight::new(n).unwrap();
        let want = Precise::new().shape(i, j, n);
        let got = shape(&weight, i, j);
        // At most 2^-36 of a unit of g is lost to the unit of the result.
        let slack = want.recip() * 2_f64.powi(-36);
        let error = relative(got, want);
        prop_assert!(error < bound(f64::from(n) / 65536.0).min(1e-9) + slack, "{got} for {want}");
    }

    #[test]
    fn doubles_are_exact_to_a_billionth(i in (2_u64 << 16)..(70_000 << 16), j in losses(), n in (1_u32 << 14)..=(64 << 16)) {
        let [i_real, j_real, n_real] = [i as f64, j.into(), n.into()].map(|v: f64| v / 65536.0);
        let want = Precise::new().shape(i, j, n);
        prop_assert!(relative(doubles::shape(i_real, j_real, n_real), want) < 1e-9);
    }

    #[test]
    fn fewer_losses_never_mean_less(i in intervals(), step in 1_u64..1 << 40, j in losses(), n in weights()) {
        let weight = Weight::new(n).unwrap();
        let (near, far) = (shape(&weight, i, j), shape(&weight, i.saturating_add(step), j));
        prop_assert!(far >= near * (1.0 - 1e-12), "{far} after {near}");
    }
}

#[test]
fn it_is_exact_for_every_small_interval() {
    let losses = [1.0, 1.5, 2.0, 3.0, 6.0, 12.0, 64.0];
    for n in [0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0] {
        let weight = weight(n);
        for j in losses {
            let mut last = 0.0;
            for i in 2..=65536_u32 {
                let got = shape(&weight, u64::from(i) << 16, flows(j));
                let want = doubles::shape(i.into(), j, n);
                assert!(
                    relative(got, want) < 1e-8,
                    "I={i} j={j} N={n}: {got} for {want}"
                );
                assert!(got > last, "I={i} j={j} N={n}");
                last = got;
            }
        }
    }
}

/// Ten million points, spread evenly over the logarithms of I and N.
#[test]
fn it_is_exact_at_ten_million_points() {
    const EACH: u32 = 2_500_000;
    let parts: Vec<_> = (1..=4_u64)
        .map(|part| std::thread::spawn(move || worst_of(part, EACH)))
        .collect();
    for part in parts {
        let (worst, at) = part.join().unwrap();
        assert!(worst < 1.0, "{at:?}: {worst} times the error it may have");
    }
}

/// The largest error, as a part of what it may be, and its I, j and N.
fn worst_of(seed: u64, points: u32) -> (f64, (u64, u32, u32)) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut random = move |end: u64| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) % end
    };
    let mut worst = (0.0, (0, 0, 0));
    for _ in 0..points {
        let bits = 17 + random(24);
        let i = (1 << bits) + random(1 << bits);
        let bits = 12 + random(10);
        let n = (1 << bits) + random(1 << bits) as u32;
        let bits = random(17);
        let j = (1 << 16) + random(63 << bits) as u32;
        let [i_real, j_real, n_real] = [i as f64, j.into(), n.into()].map(|v: f64| v / 65536.0);
        let got = shape(&Weight::new(n).unwrap(), i, j);
        let error = relative(got, doubles::shape(i_real, j_real, n_real)) / bound(n_real);
        if error > worst.0 {
            worst = (error, (i, j, n));
        }
    }
    worst
}

#[test]
fn what_the_wire_can_say_is_survived() {
    let edges = [0, 1, 2, 0xffff, 0x1_0000, 0x1_0001, u32::MAX - 1, u32::MAX];
    let intervals = edges.map(u64::from).into_iter();
    let intervals: Vec<u64> = intervals
        .chain([1 << 32, 1 << 47, u64::MAX - 1, u64::MAX])
        .collect();
    for n in [
        1,
        2,
        0xffff,
        0x1_0000,
        0x1_0001,
        (12 << 16) - 1,
        12 << 16,
        64 << 16,
    ] {
        let weight = Weight::new(n).unwrap();
        for size in [0, 1, 1460, u32::MAX] {
            for rtt in edges {
                for lost in edges {
                    let mut last = 0;
                    for &interval in &intervals {
                        let path = Conditions {
                            size,
                            rtt,
                            interval,
                            lost,
                        };
                        let rate = weight.rate(&path);
                        // From p = 1 to less the rate may fall: t_mbi, and the
                        // equation's own limit.
                        assert!(rate >= last || interval == 0x1_0001, "{path:?} {n}");
                        last = rate;
                    }
                }
            }
        }
    }
    assert!(Weight::new(0).is_none());
    assert!(Weight::new((64 << 16) + 1).is_none());
}

#[test]
fn at_p_1_a_packet_goes_in_64_seconds() {
    let path = Conditions {
        size: 1460,
        rtt: 100_000,
        interval: 1 << 16,
        lost: 1 << 16,
    };
    assert_eq!(weight(4.0).rate(&path), 64 * 1460 / u64::from(MAX_BACKOFF));
}

/// N/sqrt(af) times TFRC, far from timeouts.
#[test]
fn with_few_losses_it_is_n_flows() {
    let tfrc = shape(&weight(1.0), 1 << 46, 1 << 16);
    for n in [0.5, 2.0, 6.0, 20.0] {
        let many = shape(&weight(n), 1 << 46, 1 << 16);
        assert!(relative(many / tfrc, n) < 1e-3, "{n}: {}", many / tfrc);
    }
}
