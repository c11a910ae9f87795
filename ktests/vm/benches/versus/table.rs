// SPDX-License-Identifier: GPL-2.0
//! What is printed.

use ccp_core::vm::MIN_FILE;

use crate::kernel::Kernel;

/// A program's measurements; times in nanoseconds.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) instructions: usize,
    /// Ops per ACK.
    pub(crate) steps: f64,
    pub(crate) libccp: f64,
    pub(crate) ours: f64,
    pub(crate) native: f64,
    pub(crate) install_libccp: f64,
    pub(crate) install_ours: f64,
    /// Of the flow's register file.
    pub(crate) slots: usize,
}

impl Row {
    /// All of a flow's memory in the kernel. A file larger than the smallest is
    /// an allocation of its own.
    fn bytes(&self, kernel: &Kernel) -> usize {
        let own = if self.slots > MIN_FILE { self.slots } else { 0 };
        kernel.flow_bytes + own * size_of::<u64>()
    }
}

pub(crate) fn print(rows: &[Row], kernel: Option<&Kernel>) {
    print!(
        "{:<14} {:>5} {:>6} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9}",
        "ns per ACK",
        "insns",
        "steps",
        "libccp",
        "ours",
        "by hand",
        "faster",
        "vs hand",
        "install",
        "libccp's"
    );
    println!("{}", kernel.map_or("", |_| "   kernel   bytes"));
    for row in rows {
        print!(
            "{:<14} {:>5} {:>6.1} {:>9.1} {:>8.1} {:>8.1} {:>7.1}x {:>7.1}x {:>9.0} {:>9.0}",
            row.name,
            row.instructions,
            row.steps,
            row.libccp,
            row.ours,
            row.native,
            row.libccp / row.ours,
            row.ours / row.native,
            row.install_ours,
            row.install_libccp,
        );
        match kernel {
            Some(kernel) => println!(" {:>8.1} {:>7}", kernel.time(row.name), row.bytes(kernel)),
            None => println!(),
        }
    }
    legend(kernel.is_some());
    let least = |ratio: fn(&Row) -> f64| rows.iter().map(ratio).fold(f64::MAX, f64::min);
    let mean = |ratio: fn(&Row) -> f64| {
        let product: f64 = rows.iter().map(ratio).product();
        product.powf(1.0 / rows.len() as f64)
    };
    if let Some(kernel) = kernel {
        let ratios = rows.iter().map(|row| kernel.time(row.name) / row.ours);
        let worst = ratios.fold(0.0, f64::max);
        println!("kernel-vs-host: worst={worst:.2}");
    }
    print!(
        "vm-vs-libccp: geomean={:.1} min={:.1} vs-native={:.1}",
        mean(|row| row.libccp / row.ours),
        least(|row| row.libccp / row.ours),
        mean(|row| row.ours / row.native),
    );
    let bytes = kernel.and_then(|kernel| rows.iter().map(|row| row.bytes(kernel)).max());
    println!(
        "{}",
        bytes.map_or(String::new(), |bytes| format!(" bytes-per-flow={bytes}"))
    );
}

/// What the columns are; the line that sums them up comes last.
fn legend(kernel: bool) {
    println!(
        "
libccp, ours, by hand   ns per ACK, the least of many turns: what the program does, and what
                        surrounds it: primitives, window, rate, report
faster                  libccp / ours: how many times as fast ours is
vs hand                 ours / by hand: how many times as long ours takes
install, libccp's       ns to check and store the program, ours and libccp's
insns                   instructions of the program as portus compiles it, which is what is
                        timed: our optimiser has no part in it
steps                   operations of our machine per ACK; one may do several instructions"
    );
    if kernel {
        println!(
            "kernel                  ns per ACK of ours, compiled for and run in the lab kernel
bytes                   all memory of a flow in the kernel, its registers included
kernel-vs-host          kernel / ours, the worst of all"
        );
    }
    println!(
        "vm-vs-libccp            geometric mean and least of \"faster\"; vs-native is the geometric
                        mean of \"vs hand\": 4.0 is four times as long as by hand
"
    );
}
