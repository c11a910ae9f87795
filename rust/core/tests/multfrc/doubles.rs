// SPDX-License-Identifier: GPL-2.0

//! The equation as the draft has it, in doubles; `precise` says how exact.

/// g = X R / s for b = 1 and t_RTO = 4R, with p = 1/I.
pub(crate) fn shape(i: f64, j: f64, n: f64) -> f64 {
    let p = 1.0 / i;
    let hit = if n <= 1.0 {
        1.0
    } else if n < 12.0 {
        n * (1.0 - (1.0 - 1.0 / n).powf(j))
    } else {
        j
    };
    let af = hit.min(n.ceil()).max(1.0);
    let a = p * af * (24.0 * n * n + p * af * (n - 2.0 * af).powi(2));
    let x = (af * p * (2.0 * af - n) + a.sqrt()) / (6.0 * n * n * p);
    let z = 4.0 * (1.0 + 32.0 * p * p) / (1.0 - p);
    let window = 2.0 * j * z / ((1.0 + 3.0 * n / j) * x * x);
    let q = window.min(n * z / x).min(n);
    (1.0 - q / n) / (p * x) + q / (z * (1.0 - p))
}
