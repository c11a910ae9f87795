// SPDX-License-Identifier: GPL-2.0
//! The picture: three panels over one time axis, events across all of them.

use super::{
    axis::Axis,
    svg::{Anchor, Stroke, Svg},
    trace::{Mark, Sample, Trace},
};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 18.0;
const PANEL: f64 = 170.0;
const GAP: f64 = 16.0;
/// Height of one row of text above the panels.
const ROW: f64 = 16.0;
const SMALL: f64 = 11.0;
const NORMAL: f64 = 12.0;
/// Rough width of a character at size `SMALL`.
const CHARACTER: f64 = 5.8;
/// Events closer than this on paper share a line and a label.
const TOGETHER: f64 = 6.0;

/// Okabe and Ito's palette, which readers with any colour vision can tell apart.
const COLOURS: [&str; 7] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
];
const GRID: &str = "#e4e4e4";
const FRAME: &str = "#666";
const MARK: &str = "#444";
const SHADE: &str = "#ececec";

/// One quantity of a panel.
struct Line {
    name: &'static str,
    value: fn(&Sample) -> Option<f64>,
    dashes: &'static str,
}

struct Panel {
    title: &'static str,
    lines: [Line; 2],
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "window (packets)",
        lines: [
            Line {
                name: "cwnd",
                value: |s| s.cwnd,
                dashes: "",
            },
            Line {
                name: "ssthresh",
                value: |s| s.ssthresh,
                dashes: "2 3",
            },
        ],
    },
    Panel {
        title: "RTT (ms)",
        lines: [
            Line {
                name: "smoothed",
                value: |s| s.srtt,
                dashes: "",
            },
            Line {
                name: "minimum",
                value: |s| s.min_rtt,
                dashes: "2 3",
            },
        ],
    },
    Panel {
        title: "rate (Mbit/s)",
        lines: [
            Line {
                name: "goodput",
                value: |s| s.goodput,
                dashes: "",
            },
            Line {
                name: "pacing",
                value: |s| s.pacing,
                dashes: "2 3",
            },
        ],
    },
];

pub(super) fn draw(trace: &Trace, title: Option<&str>) -> String {
    let time = Axis::new(trace.end, 10.0, false);
    let x = |t: f64| LEFT + (WIDTH - LEFT - RIGHT) * t / time.end;
    let labels = Labels::place(&trace.marks, x);

    let mut svg = Svg::new(WIDTH);
    let mut y = 14.0;
    if let Some(title) = title {
        svg.bold((WIDTH / 2.0, y + 8.0), Anchor::Middle, 15.0, title);
        y += 26.0;
    }
    y = legend(&mut svg, trace, y);
    let first_label = y + ROW - 4.0;
    let top = y + labels.rows as f64 * ROW + 4.0;

    for (index, panel) in PANELS.iter().enumerate() {
        let place = Place {
            top: top + index as f64 * (PANEL + GAP),
            last: index + 1 == PANELS.len(),
        };
        draw_panel(&mut svg, trace, panel, &time, x, place);
    }
    let bottom = top + PANELS.len() as f64 * (PANEL + GAP) - GAP;
    for (at, text_at, row, text) in &labels.list {
        let label_y = first_label + *row as f64 * ROW;
        let dashed = Stroke {
            colour: MARK,
            width: 1.0,
            dashes: "5 3",
        };
        svg.line((*at, label_y + 3.0), (*at, bottom), dashed);
        svg.text((*text_at, label_y), Anchor::Start, SMALL, text);
    }
    svg.text(
        (f64::midpoint(LEFT, WIDTH - RIGHT), bottom + 36.0),
        Anchor::Middle,
        NORMAL,
        "time (s)",
    );
    svg.finish(bottom + 46.0)
}

/// Which colour is which flow, and what the shade means. Gives the y below.
fn legend(svg: &mut Svg, trace: &Trace, y: f64) -> f64 {
    let mut x = LEFT;
    let mut entry = |svg: &mut Svg, text: &str, colour: &str, thick: f64| {
        svg.rectangle(x, y + 6.0 - thick / 2.0, 20.0, thick, colour);
        svg.text((x + 25.0, y + 10.0), Anchor::Start, SMALL, text);
        x += 45.0 + text.len() as f64 * CHARACTER;
    };
    for (index, id) in trace.flows.keys().enumerate().take(COLOURS.len()) {
        entry(svg, &format!("flow {id}"), COLOURS[index], 3.0);
    }
    if trace.flows.len() > COLOURS.len() {
        entry(svg, "colours repeat", "#fff", 3.0);
    }
    if shaded(trace).next().is_some() {
        entry(svg, "fallback program", SHADE, 11.0);
    }
    y + ROW
}

#[derive(Copy, Clone)]
struct Place {
    top: f64,
    last: bool,
}

fn draw_panel(
    svg: &mut Svg,
    trace: &Trace,
    panel: &Panel,
    time: &Axis,
    x: impl Fn(f64) -> f64,
    place: Place,
) {
    let bottom = place.top + PANEL;
    let right = WIDTH - RIGHT;
    let values = |line: &Line| {
        let value = line.value;
        trace
            .flows
            .values()
            .flatten()
            .filter_map(value)
            .collect::<Vec<f64>>()
    };
    // The axis fits the solid line; a far-off dashed one is cut.
    let largest = values(&panel.lines[0]).into_iter().fold(0.0, f64::max);
    let dashed = values(&panel.lines[1]).into_iter().fold(0.0, f64::max);
    let axis = Axis::new(largest.max(dashed.min(largest * 1.5)), 4.0, true);
    let y = |value: f64| bottom - PANEL * (value / axis.end).min(1.0);

    for (from, to) in shaded(trace) {
        svg.rectangle(x(from), place.top, x(to) - x(from), PANEL, SHADE);
    }
    let grid = Stroke {
        colour: GRID,
        width: 1.0,
        dashes: "",
    };
    for (value, text) in axis.ticks() {
        svg.line((LEFT, y(value)), (right, y(value)), grid);
        svg.text((LEFT - 6.0, y(value) + 4.0), Anchor::End, SMALL, &text);
    }
    for (value, text) in time.ticks() {
        svg.line((x(value), place.top), (x(value), bottom), grid);
        if place.last {
            svg.text((x(value), bottom + 16.0), Anchor::Middle, SMALL, &text);
        }
    }
    svg.upright(
        (18.0, f64::midpoint(place.top, bottom)),
        NORMAL,
        panel.title,
    );

    let mut names_x = LEFT + 10.0;
    for line in panel.lines.iter().rev() {
        let mut drawn = false;
        for (index, samples) in trace.flows.values().enumerate() {
            let stroke = Stroke {
                colour: COLOURS[index % COLOURS.len()],
                width: if line.dashes.is_empty() { 1.6 } else { 1.2 },
                dashes: line.dashes,
            };
            for piece in pieces(samples, line.value) {
                let points: Vec<(f64, f64)> = piece.iter().map(|&(t, v)| (x(t), y(v))).collect();
                drawn |= points.len() > 1;
                svg.polyline(&points, stroke);
            }
        }
        if drawn {
            let stroke = Stroke {
                colour: MARK,
                width: 1.4,
                dashes: line.dashes,
            };
            let base = place.top + 14.0;
            svg.line((names_x, base - 4.0), (names_x + 22.0, base - 4.0), stroke);
            svg.text((names_x + 27.0, base), Anchor::Start, SMALL, line.name);
            names_x += 45.0 + line.name.len() as f64 * CHARACTER;
        }
    }
    let frame = Stroke {
        colour: FRAME,
        width: 1.0,
        dashes: "",
    };
    let corners = [
        (LEFT, place.top),
        (right, place.top),
        (right, bottom),
        (LEFT, bottom),
        (LEFT, place.top),
    ];
    svg.polyline(&corners, frame);
}

/// Runs of samples that have a value.
fn pieces(samples: &[Sample], value: fn(&Sample) -> Option<f64>) -> Vec<Vec<(f64, f64)>> {
    samples
        .split(|sample| value(sample).is_none())
        .map(|run| {
            run.iter()
                .filter_map(|s| Some((s.time, value(s)?)))
                .collect::<Vec<_>>()
        })
        .filter(|piece| !piece.is_empty())
        .collect()
}

/// Times in which the only flow ran the fallback program. With several flows
/// the shades would lie over each other and mean nothing.
fn shaded(trace: &Trace) -> impl Iterator<Item = (f64, f64)> + '_ {
    let only = trace
        .flows
        .values()
        .next()
        .filter(|_| trace.flows.len() == 1);
    let samples = only.map(Vec::as_slice).unwrap_or_default();
    samples
        .windows(2)
        .filter(|pair| pair[0].fallback)
        .map(|pair| (pair[0].time, pair[1].time))
}

/// Labels of events: near ones joined, overlapping ones on rows of their own.
struct Labels {
    /// Place of the line, place of the text, row, text.
    list: Vec<(f64, f64, usize, String)>,
    rows: usize,
}

impl Labels {
    fn place(marks: &[Mark], x: impl Fn(f64) -> f64) -> Self {
        let mut marks: Vec<&Mark> = marks.iter().collect();
        marks.sort_by(|a, b| a.time.total_cmp(&b.time));
        let mut joined: Vec<(f64, Vec<&str>)> = Vec::new();
        for mark in marks {
            let at = x(mark.time);
            match joined.last_mut() {
                Some((last, texts)) if at - *last < TOGETHER => {
                    if !texts.contains(&mark.text.as_str()) {
                        texts.push(&mark.text);
                    }
                }
                _ => joined.push((at, vec![&mark.text])),
            }
        }
        // From the right: a label goes to the lowest row in which it ends left
        // of what stands there and of the lines that come down through it.
        let mut starts: Vec<f64> = Vec::new();
        let mut list = Vec::new();
        for (at, texts) in joined.into_iter().rev() {
            let text = texts.join(", ");
            let width = text.len() as f64 * CHARACTER;
            let start = (at - 3.0).min(WIDTH - RIGHT - width).max(4.0);
            let end = start + width + 6.0;
            let fits = |row: &usize| starts[*row..].iter().all(|&next| end <= next);
            let row = (0..starts.len()).find(fits).unwrap_or(starts.len());
            starts.resize(starts.len().max(row + 1), f64::INFINITY);
            starts[row] = start;
            list.push((at, start, row, text));
        }
        let rows = list.iter().map(|label| label.2 + 1).max().unwrap_or(0);
        // Row 0 is the lowest so far: the leftmost must be the topmost.
        for label in &mut list {
            label.2 = rows - 1 - label.2;
        }
        Self { list, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Trace {
        let mut text = String::from(
            "time_s,flow,event,detail,program,cwnd_pkts,ssthresh_pkts,rate_bps,goodput_bps,srtt_us,min_rtt_us\n",
        );
        for index in 0..300 {
            let (t, cwnd) = (f64::from(index) / 10.0, 20 + index % 60);
            let program = if (150..200).contains(&index) {
                "fallback"
            } else {
                "reno"
            };
            text += &format!(
                "{t},1,sample,,{program},{cwnd},40,,18000000,{},40000\n",
                40_000 + 500 * cwnd
            );
        }
        text += "0.0,,agent-attached,reno,\n15.0,,agent-gone,reno,\n15.05,1,fallback,agent-gone,\n";
        text += "20.0,,agent-attached,reno,\n20.02,1,adopted,,\n";
        Trace::parse(&text, &[]).unwrap()
    }

    #[test]
    fn picture_has_what_the_trace_has() {
        let picture = draw(&trace(), Some("a <title>"));
        for text in [
            "a &lt;title&gt;",
            "window (packets)",
            "RTT (ms)",
            "rate (Mbit/s)",
            "time (s)",
            "agent 'reno' gone, fallback (agent-gone)",
            "agent 'reno' attached, adopted",
            "fallback program",
            "flow 1",
        ] {
            assert!(picture.contains(text), "no '{text}'");
        }
        // Pacing has no values, so it has no name in the picture either.
        assert!(!picture.contains(">pacing<"));
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    }

    #[test]
    fn near_events_share_a_label_and_far_ones_do_not_overlap() {
        let labels = Labels::place(&trace().marks, |t| LEFT + 29.0 * t);
        assert_eq!(labels.list.len(), 3);
        for a in &labels.list {
            for b in &labels.list {
                let end = a.1 + a.3.len() as f64 * CHARACTER;
                assert!(a.1 >= b.1 || a.2 != b.2 || end < b.1);
            }
        }
    }
}
