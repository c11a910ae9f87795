// SPDX-License-Identifier: GPL-2.0
//! What the panels of a picture show.

use super::trace::Sample;
use crate::cli::PanelName;

/// One quantity of a panel.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) value: fn(&Sample) -> Option<f64>,
    pub(super) dashed: bool,
    /// Drawn as a moving mean.
    pub(super) mean: bool,
}

pub(super) struct Panel {
    pub(super) title: &'static str,
    /// The axis fits the first.
    pub(super) lines: [Line; 2],
}

const fn solid(name: &'static str, value: fn(&Sample) -> Option<f64>) -> Line {
    Line {
        name,
        value,
        dashed: false,
        mean: false,
    }
}

const fn dashed(name: &'static str, value: fn(&Sample) -> Option<f64>) -> Line {
    Line {
        dashed: true,
        ..solid(name, value)
    }
}

/// From top to bottom.
static PANELS: [(PanelName, Panel); 5] = [
    (
        PanelName::Window,
        Panel {
            title: "window (packets)",
            lines: [
                solid("cwnd", |s| s.cwnd),
                dashed("ssthresh of the kernel", |s| s.ssthresh),
            ],
        },
    ),
    (
        PanelName::Rtt,
        Panel {
            title: "RTT (ms)",
            lines: [
                solid("smoothed", |s| s.srtt),
                dashed("minimum", |s| s.min_rtt),
            ],
        },
    ),
    (
        PanelName::Rate,
        Panel {
            title: "rate (Mbit/s)",
            lines: [
                Line {
                    mean: true,
                    ..solid("goodput", |s| s.goodput)
                },
                dashed("pacing", |s| s.pacing),
            ],
        },
    ),
    (
        PanelName::Queue,
        Panel {
            title: "queue (packets)",
            lines: [
                solid("of the flow, estimated", |s| s.queue),
                dashed("in flight", |s| s.in_flight),
            ],
        },
    ),
    (
        PanelName::Delivered,
        Panel {
            title: "delivered (packets)",
            lines: [
                solid("delivered", |s| s.delivered),
                dashed("lost", |s| s.lost),
            ],
        },
    ),
];

/// The named panels; all of them for none.
pub(super) fn choose(names: &[PanelName]) -> Vec<&'static Panel> {
    PANELS
        .iter()
        .filter(|(name, _)| names.is_empty() || names.contains(name))
        .map(|(_, panel)| panel)
        .collect()
}
