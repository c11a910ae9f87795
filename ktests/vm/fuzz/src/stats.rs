// SPDX-License-Identifier: GPL-2.0
//! How many inputs got past the checks, said from time to time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static RUN: AtomicU64 = AtomicU64::new(0);
static ACCEPTED: AtomicU64 = AtomicU64::new(0);

/// Counts an input; tells after a power of two and after each 2^20 of them.
pub fn count(accepted: bool) {
    let accepted = ACCEPTED.fetch_add(accepted.into(), Relaxed) + u64::from(accepted);
    let run = RUN.fetch_add(1, Relaxed) + 1;
    if run >= 1 << 12 && (run.is_power_of_two() || run % (1 << 20) == 0) {
        eprintln!("accepted: {accepted} of {run}");
    }
}
