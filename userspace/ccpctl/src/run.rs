// SPDX-License-Identifier: GPL-2.0
//! `ccpctl run`: an algorithm at work.

use crate::{cli::RunArgs, stop, watch, Failure};
use ccp_agent::{Notice, Options};
use std::{
    io::Write,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
};

pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let algorithm =
        ccp_algorithms::make(&args.algorithm, &args.parameters).map_err(Failure::Input)?;
    let algorithms = [algorithm];
    // Before anything is written or attached: does it compile?
    ccp_agent::check(&algorithms)?;

    let stop = stop::on_signal()?;
    let stop_watching = Arc::new(AtomicBool::new(false));
    let watcher = watch::alongside(&args.watch, Arc::clone(&stop_watching))?;
    let quiet = args.quiet;
    let options = Options {
        name: args.name.clone(),
        stop,
        observe: Box::new(move |notice| {
            let single = matches!(notice, Notice::FlowTaken { .. } | Notice::FlowClosed(_));
            if !(quiet && single) {
                // A log that cannot be written must not stop the agent.
                let _ = writeln!(std::io::stderr(), "{notice}");
            }
        }),
    };
    let outcome = ccp_agent::run(&algorithms, options);

    stop_watching.store(true, Ordering::Relaxed);
    if let Some(watcher) = watcher {
        let watched = watcher.join();
        watched.unwrap_or_else(|_| Err(Failure::System("the watching thread panicked".into())))?;
    }
    let summary = outcome?;
    eprintln!(
        "{} flows ({} adopted), {} reports ({} missed), {} fallbacks, {} failures",
        summary.flows,
        summary.adopted,
        summary.reports,
        summary.missed,
        summary.fallbacks,
        summary.failures,
    );
    Ok(())
}
