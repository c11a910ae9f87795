// SPDX-License-Identifier: GPL-2.0
//! `ccpctl portus`: serves Portus clients on unix sockets.

use crate::{cli::PortusArgs, stop, Failure};
use ccp_portus::Options;
use std::io::Write;

pub(crate) fn run(args: &PortusArgs) -> Result<(), Failure> {
    if args.client.is_empty() || args.client.contains('/') {
        return Err(Failure::Input(format!(
            "'{}' is no name of a socket in /tmp/ccp",
            args.client
        )));
    }
    let quiet = args.quiet;
    let options = Options {
        client: args.client.clone(),
        stop: stop::on_signal()?,
        log: Box::new(move |line| {
            if !quiet {
                // A log that cannot be written must not stop the bridge.
                let _ = writeln!(std::io::stderr(), "{line}");
            }
        }),
    };
    let summary = ccp_portus::run(options)?;
    eprintln!(
        "{} clients, {} flows, {} reports, {} messages without room, {} refused",
        summary.clients, summary.flows, summary.reports, summary.lost, summary.refused
    );
    Ok(())
}
