// SPDX-License-Identifier: GPL-2.0
//! `ccpctl`: run congestion-control algorithms, and see what flows do.
//!
//! Exit status, as iproute2's tools have it: 0 for success, 1 for a mistake in
//! what the user gave, 2 for an error from the kernel or the system.

mod cli;
mod dccp;
mod failure;
mod format;
mod mptcp;
mod new;
mod plot;
mod portus;
mod program;
mod run;
mod show;
mod stop;
mod traffic;
mod units;
mod watch;

use clap::{error::ErrorKind, Parser};
use cli::{Cli, Command};
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            // Nothing is left to do when even this cannot be written.
            let _ = error.print();
            return if asked {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(1)
            };
        }
    };
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Quiet(status)) => ExitCode::from(status),
        Err(failure) => {
            eprintln!("ccpctl: {failure}");
            ExitCode::from(failure.status())
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    let form = cli.form();
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Algorithms => show::algorithms(form),
        Command::Flows { action } => show::flows(form, action.as_ref()),
        Command::Programs { action } => show::programs(form, action.as_ref()),
        Command::Agents { .. } => show::agents(form),
        Command::Stats { .. } => show::stats(form),
        Command::Monitor(args) => watch::monitor(form, &args),
        Command::Top(args) => watch::top(&args),
        Command::Record(args) => watch::record(&args),
        Command::New(args) => new::new(&args),
        Command::Plot(args) => plot::plot(&args),
        Command::Portus(args) => portus::run(&args),
        Command::Program { action } => program::run(form, &action),
        Command::Dccp { action } => dccp::run(form, &action),
        Command::Mptcp(args) => mptcp::run(form, &args),
        Command::Traffic { action } => traffic::run(form, &action),
    }
}
