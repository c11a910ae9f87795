// SPDX-License-Identifier: GPL-2.0
//! The long run: `differential COUNT [SEED]` compares the machines on COUNT
//! generated programs, on all cores. The same arguments are the same programs.

use std::{
    env,
    process::ExitCode,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Mutex,
    },
    thread,
    time::Instant,
};

use ccp_vm_tests::{
    check,
    driver::{Runner, Totals},
};

/// ACKs for each program.
const ACKS: u32 = 1_000;
/// Programs between two lines of progress.
const PROGRESS: u64 = 20_000;

struct Run {
    first_seed: u64,
    cases: u64,
    next: AtomicU64,
    stop: AtomicBool,
    totals: Mutex<Totals>,
    begin: Instant,
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let mut number = |default: u64| {
        let argument = arguments.next();
        argument.map_or(Ok(default), |text| text.parse::<u64>())
    };
    let (Ok(count), Ok(first_seed)) = (number(1_000_000), number(0)) else {
        eprintln!("usage: differential [COUNT [SEED]]");
        return ExitCode::from(2);
    };
    let run = Run {
        first_seed,
        cases: count.div_ceil(2),
        next: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        totals: Mutex::default(),
        begin: Instant::now(),
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| run.work());
        }
    });
    let totals = run.totals.into_inner().expect("no worker panicked");
    let differences = u8::from(run.stop.into_inner());
    println!(
        "fuzz: {} programs, {} invocations, {differences} differences, deviations {}",
        totals.programs, totals.invocations, totals.deviations
    );
    ExitCode::from(differences)
}

impl Run {
    /// Takes cases until there are no more, or the machines differ on one.
    fn work(&self) {
        let mut runner = Runner::new();
        while !self.stop.load(Ordering::Relaxed) {
            let case = self.next.fetch_add(1, Ordering::Relaxed);
            if case >= self.cases {
                return;
            }
            let seed = self.first_seed.wrapping_add(case);
            let mut totals = Totals::default();
            if let Err(difference) = check(&mut runner, seed, ACKS, &mut totals) {
                self.stop.store(true, Ordering::Relaxed);
                println!("{difference}");
            }
            self.add(totals);
        }
    }

    fn add(&self, totals: Totals) {
        let mut all = self.totals.lock().expect("no worker panicked");
        let before = all.programs / PROGRESS;
        *all += totals;
        if all.programs / PROGRESS > before {
            let seconds = self.begin.elapsed().as_secs();
            println!("{seconds} s: {all}");
        }
    }
}
