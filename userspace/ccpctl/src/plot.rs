// SPDX-License-Identifier: GPL-2.0
//! A picture of a recorded trace.

mod chart;
mod labels;
mod panels;
mod series;
mod trace;

use crate::{cli::PlotArgs, Failure};
use trace::Trace;

pub(crate) fn plot(args: &PlotArgs) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&args.trace).map_err(Failure::file(&args.trace))?;
    let trace = Trace::parse(&text, &args.flows)
        .map_err(|error| Failure::Input(format!("{}: {error}", args.trace.display())))?;
    let picture = chart::draw(&trace, args.title.as_deref(), &panels::choose(&args.panels))
        .map_err(|error| Failure::Input(format!("{}: {error}", args.trace.display())))?;
    std::fs::write(&args.output, picture).map_err(Failure::file(&args.output))
}
