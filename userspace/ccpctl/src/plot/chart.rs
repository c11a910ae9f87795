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
/// Between panels; the names of a panel's lines stand there.
const GAP: f64 = 24.0;
/// Height of one row of text above the panels.
const ROW: f64 = 16.0;
const SMALL: f64 = 11.0;
const NORMAL: f64 = 12.0;
/// Rough width of a character at size `SMALL`.
const CHARACTER: f64 = 6.2;
/// Rates are means over this part of the time axis: what arrives between two
/// samples depends on how ACKs bunch up.
const MEAN: f64 = 1.0 / 200.0;
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
    mean: bool,
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
                mean: false,
            },
            Line {
                name: "ssthresh of the kernel",
                value: |s| s.ssthresh,
                dashes: "2 3",
                mean: false,
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
                mean: false,
            },
            Line {
                name: "minimum",
                value: |s| s.min_rtt,
                dashes: "2 3",
                mean: false,
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
                mean: true,
            },
            Line {
                name: "pacing",
                value: |s| s.pacing,
                dashes: "2 3",
                mean: false,
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
    let top = y + labels.rows as f64 * ROW + GAP;

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
    if !shaded(trace).is_empty() {
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
    let drawings: Vec<Drawing> = panel
        .lines
        .iter()
        .map(|line| Drawing::of(line, trace, time.end * MEAN))
        .collect();
    // The axis fits the solid line; a far-off dashed one is cut.
    let largest = drawings[0].largest();
    let dashed = drawings[1].largest();
    let axis = Axis::new(largest.max(dashed.min(largest * 1.5)), 5.0, true);
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

    // Solid lines over dashed ones; their names from right to left.
    let mut names_end = right;
    for (line, drawing) in panel.lines.iter().zip(&drawings).rev() {
        let mut drawn = false;
        for (index, pieces) in drawing.0.iter().enumerate() {
            let stroke = Stroke {
                colour: COLOURS[index % COLOURS.len()],
                width: if line.dashes.is_empty() { 1.6 } else { 1.2 },
                dashes: line.dashes,
            };
            for piece in pieces {
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
            let base = place.top - 6.0;
            let start = names_end - 27.0 - line.name.len() as f64 * (CHARACTER + 1.0);
            svg.line((start, base - 4.0), (start + 22.0, base - 4.0), stroke);
            svg.text((start + 27.0, base), Anchor::Start, SMALL, line.name);
            names_end = start - 18.0;
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

/// Runs of samples that have a value, as time and value, for each flow.
struct Drawing(Vec<Vec<Vec<(f64, f64)>>>);

impl Drawing {
    fn of(line: &Line, trace: &Trace, span: f64) -> Self {
        let flow = |samples: &Vec<Sample>| {
            samples
                .split(|sample| (line.value)(sample).is_none())
                .map(|run| run.iter().filter_map(|s| Some((s.time, (line.value)(s)?))))
                .map(Iterator::collect::<Vec<_>>)
                .filter(|piece| !piece.is_empty())
                .map(|piece| {
                    if line.mean {
                        means(&piece, span)
                    } else {
                        piece
                    }
                })
                .collect()
        };
        Self(trace.flows.values().map(flow).collect())
    }

    fn largest(&self) -> f64 {
        let points = self.0.iter().flatten().flatten();
        points.map(|point| point.1).fold(0.0, f64::max)
    }
}

/// Moving means over `span` around each point.
fn means(points: &[(f64, f64)], span: f64) -> Vec<(f64, f64)> {
    let (mut first, mut last, mut sum) = (0, 0, 0.0);
    points
        .iter()
        .map(|&(time, _)| {
            while last < points.len() && points[last].0 <= time + span / 2.0 {
                sum += points[last].1;
                last += 1;
            }
            while points[first].0 < time - span / 2.0 {
                sum -= points[first].1;
                first += 1;
            }
            (time, sum / (last - first) as f64)
        })
        .collect()
}

/// Times in which a flow ran the fallback program while no other flow was
/// there: shades of several flows would lie over each other and mean nothing.
fn shaded(trace: &Trace) -> Vec<(f64, f64)> {
    let mut spans: Vec<(f64, f64)> = Vec::new();
    for (id, samples) in &trace.flows {
        let alone = |time: f64| {
            !trace.flows.iter().any(|(other, samples)| {
                let life = samples.first().zip(samples.last());
                other != id && life.is_some_and(|(a, b)| (a.time..=b.time).contains(&time))
            })
        };
        for pair in samples.windows(2) {
            if !pair[0].fallback || !alone(pair[0].time) {
                continue;
            }
            match spans.last_mut() {
                Some(last) if last.1 >= pair[0].time => last.1 = pair[1].time,
                _ => spans.push((pair[0].time, pair[1].time)),
            }
        }
    }
    spans
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
    fn means_keep_what_is_constant() {
        let points: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), f64::from(i % 2))).collect();
        let smooth = means(&points, 10.0);
        assert_eq!(smooth.len(), 100);
        assert!(smooth[10..90]
            .iter()
            .all(|point| (point.1 - 0.5).abs() < 0.06));
        assert_eq!(means(&[(1.0, 7.0)], 0.0), [(1.0, 7.0)]);
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
