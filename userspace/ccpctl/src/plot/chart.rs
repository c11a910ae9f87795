// SPDX-License-Identifier: GPL-2.0
//! The picture: panels over one time axis, events across all of them.

use super::{
    labels::{self, Label},
    panels::{Line, Panel},
    series::{means, runs, shaded},
    trace::{Sample, Trace},
};
use plotters::{
    coord::{ranged1d::Ranged, types::RangedCoordf64, Shift},
    data::float::FloatPrettyPrinter,
    element::DashedPathElement,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::io;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<io::Error>>;

// Pixels. The library places points on whole ones, so there are many: the
// picture is meant to be shown at half its size or less.
const WIDTH: i32 = 1920;
const LEFT: i32 = 144;
/// Between the edge of the picture and the titles of axes.
const EDGE: i32 = 12;
const RIGHT: i32 = 36;
const PANEL: i32 = 340;
/// Above each panel; the names of its lines stand there.
const GAP: i32 = 48;
/// Labels of the time axis.
const FOOT: i32 = 76;
/// Height of one row of text above the panels.
const ROW: i32 = 32;
/// Length of a line next to its name, and from a name to the next line.
const SAMPLE: i32 = 44;
const APART: i32 = 36;
const SPACE: i32 = 14;

const FONT: &str = "Helvetica, Arial, Liberation Sans, sans-serif";
const SMALL: f64 = 27.0;
const NORMAL: f64 = 30.0;
const LARGE: f64 = 37.0;

/// Rates are means over this part of the time axis: what arrives between two
/// samples depends on how ACKs bunch up.
const MEAN: f64 = 1.0 / 200.0;

/// Okabe and Ito's palette, which readers with any colour vision can tell apart.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x00, 0x00, 0x00),
];
const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
const FRAME: RGBColor = RGBColor(0x66, 0x66, 0x66);
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const SHADE: RGBColor = RGBColor(0xec, 0xec, 0xec);

pub(super) fn draw(trace: &Trace, title: Option<&str>, panels: &[&Panel]) -> Drawn<String> {
    let end = if trace.end > 0.0 { trace.end } else { 1.0 };
    let time = RangedCoordf64::from(0.0..end);
    let x = |at: f64| time.map(&at, (LEFT, WIDTH - RIGHT));
    let labels = labels::place(&trace.marks, &(8..WIDTH - RIGHT), x, text_width);
    let rows = labels.iter().map(|label| label.row + 1).max().unwrap_or(0);

    let legend_y = if title.is_some() { 92 } else { 40 };
    let labels_y = legend_y + ROW;
    let top = labels_y + ROW * pixels(rows);
    let step = PANEL + GAP;
    let bottom = top + step * pixels(panels.len());
    let mut picture = String::new();
    {
        let size = (WIDTH as u32, (bottom + FOOT + EDGE) as u32);
        let root = SVGBackend::with_string(&mut picture, size).into_drawing_area();
        root.fill(&WHITE)?;
        if let Some(title) = title {
            let style = (FONT, LARGE, FontStyle::Bold).into_text_style(&root);
            let style = style.color(&INK).pos(Pos::new(HPos::Center, VPos::Center));
            root.draw_text(title, &style, (WIDTH / 2, 34))?;
        }
        draw_legend(&root, trace, legend_y)?;
        let (_, rest) = root.split_vertically(top);
        let breaks: Vec<i32> = (1..pixels(panels.len())).map(|n| n * step).collect();
        let areas = rest.split_by_breakpoints(&[] as &[i32], &breaks);
        for (index, (panel, area)) in panels.iter().zip(&areas).enumerate() {
            draw_panel(area, trace, panel, end, index + 1 == panels.len())?;
        }
        draw_labels(&root, &labels, labels_y, bottom)?;
        root.present()?;
    }
    Ok(picture)
}

fn text_style() -> TextStyle<'static> {
    let font = FontDesc::new(FontFamily::Name(FONT), SMALL, FontStyle::Normal);
    font.color(&INK).pos(Pos::new(HPos::Left, VPos::Center))
}

/// Nothing here is near the limits.
fn pixels(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(0)
}

/// An estimate: readers have different fonts.
fn text_width(text: &str) -> i32 {
    let size = text_style().font.box_size(text);
    size.map_or(0, |(width, _)| pixels(width))
}

fn draw_labels(root: &Area<'_>, labels: &[Label], top: i32, bottom: i32) -> Drawn {
    let y = |label: &Label| top + ROW * pixels(label.row);
    for label in labels {
        let line = [(label.line, y(label) + ROW / 2), (label.line, bottom)];
        root.draw(&DashedPathElement::new(line, 10, 6, INK.stroke_width(2)))?;
    }
    // At the right edge a line may have to pass behind another's label.
    for label in labels {
        let (x, y) = (label.start, y(label));
        let corners = [(x, y - 12), (x + text_width(&label.text), y + 12)];
        root.draw(&Rectangle::new(corners, WHITE.filled()))?;
        root.draw_text(&label.text, &text_style(), (x, y))?;
    }
    Ok(())
}

/// Which colour is which flow, and what the shade means.
fn draw_legend(root: &Area<'_>, trace: &Trace, y: i32) -> Drawn {
    let mut entries: Vec<(String, RGBColor, i32)> = trace
        .flows
        .keys()
        .zip(COLOURS)
        .map(|(&id, colour)| (trace.name(id), colour, 3))
        .collect();
    if trace.flows.len() > COLOURS.len() {
        entries.push(("colours repeat".to_owned(), WHITE, 3));
    }
    if !shaded(trace).is_empty() {
        entries.push(("fallback program".to_owned(), SHADE, 11));
    }
    let mut x = LEFT;
    for (text, colour, half) in entries {
        let corners = [(x, y - half), (x + SAMPLE, y + half)];
        root.draw(&Rectangle::new(corners, colour.filled()))?;
        root.draw_text(&text, &text_style(), (x + SAMPLE + SPACE, y))?;
        x += SAMPLE + SPACE + text_width(&text) + APART;
    }
    Ok(())
}

fn draw_panel(area: &Area<'_>, trace: &Trace, panel: &Panel, end: f64, last: bool) -> Drawn {
    let drawings: Vec<Drawing> = panel
        .lines
        .iter()
        .map(|line| Drawing::of(line, trace, end * MEAN))
        .collect();
    // The axis fits the solid line; a far-off dashed one is cut.
    let (solid, dashed) = (drawings[0].largest(), drawings[1].largest());
    let largest = if solid > 0.0 {
        solid.max(dashed.min(solid * 1.5))
    } else {
        dashed
    };
    let top = if largest > 0.0 { largest * 1.04 } else { 1.0 };

    let mut chart = ChartBuilder::on(area)
        .margin_top(GAP)
        .margin_right(RIGHT)
        .margin_bottom(if last { EDGE } else { 0 })
        .margin_left(EDGE)
        .y_label_area_size(LEFT - EDGE)
        .x_label_area_size(if last { FOOT } else { 0 })
        .build_cartesian_2d(0.0..end, 0.0..top)?;
    let shades = shaded(trace).into_iter();
    chart.draw_series(
        shades.map(|(from, to)| Rectangle::new([(from, 0.0), (to, top)], SHADE.filled())),
    )?;
    let number = |value: &f64| {
        let printer = FloatPrettyPrinter {
            allow_scientific: false,
            min_decimal: 0,
            max_decimal: 6,
        };
        printer.print(*value)
    };
    chart
        .configure_mesh()
        .x_labels(10)
        .y_labels(6)
        .max_light_lines(0)
        .bold_line_style(GRID.stroke_width(2))
        .axis_style(FRAME.stroke_width(2))
        .label_style(text_style())
        .axis_desc_style((FONT, NORMAL, &INK))
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .x_desc("time (s)")
        .y_desc(panel.title)
        .draw()?;

    // Solid lines over dashed ones; their names from right to left.
    let mut names_end = WIDTH - RIGHT - APART / 2;
    for (line, drawing) in panel.lines.iter().zip(drawings).rev() {
        let mut drawn = false;
        for (runs, colour) in drawing.0.into_iter().zip(COLOURS.iter().cycle()) {
            for mut run in runs {
                // What falls on one pixel is one point.
                let area = chart.plotting_area();
                run.dedup_by_key(|point| area.map_coordinate(point));
                drawn |= run.len() > 1;
                if line.dashed {
                    let style = colour.stroke_width(2);
                    chart.draw_series(DashedLineSeries::new(run, 5, 5, style))?;
                } else {
                    chart.draw_series(LineSeries::new(run, colour.stroke_width(3)))?;
                }
            }
        }
        if drawn {
            let start = names_end - SAMPLE - SPACE - text_width(line.name);
            let y = GAP / 2;
            let points = [(start, y), (start + SAMPLE, y)];
            if line.dashed {
                let style = INK.stroke_width(2);
                area.draw(&DashedPathElement::new(points, 5, 5, style))?;
            } else {
                area.draw(&PathElement::new(points, INK.stroke_width(3)))?;
            }
            area.draw_text(line.name, &text_style(), (start + SAMPLE + SPACE, y))?;
            names_end = start - APART;
        }
    }
    let corners = [(0.0, 0.0), (0.0, top), (end, top), (end, 0.0), (0.0, 0.0)];
    chart.draw_series([PathElement::new(corners, FRAME.stroke_width(2))])?;
    Ok(())
}

/// The runs of one quantity, for each flow.
struct Drawing(Vec<Vec<Vec<(f64, f64)>>>);

impl Drawing {
    fn of(line: &Line, trace: &Trace, span: f64) -> Self {
        let flow = |samples: &Vec<Sample>| {
            let runs = runs(samples, line.value);
            if line.mean {
                runs.map(|run| means(&run, span)).collect()
            } else {
                runs.collect()
            }
        };
        Self(trace.flows.values().map(flow).collect())
    }

    fn largest(&self) -> f64 {
        let points = self.0.iter().flatten().flatten();
        points.map(|point| point.1).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::PanelName, plot::panels};

    fn trace() -> Trace {
        let mut text = String::from(
            "time_s,flow,event,detail,program,cwnd_pkts,ssthresh_pkts,rate_bps,goodput_bps,srtt_us,min_rtt_us,in_flight,queue_pkts,delivered,lost\n",
        );
        for index in 0..300 {
            let (t, cwnd) = (f64::from(index) / 10.0, 20 + index % 60);
            let program = if (150..200).contains(&index) {
                "fallback"
            } else {
                "reno"
            };
            text += &format!(
                "{t},1,sample,,{program},{cwnd},40,,18000000,{},40000,{cwnd},{},{},2\n",
                40_000 + 500 * cwnd,
                cwnd / 2,
                index * 50
            );
        }
        text += "0.0,,agent-attached,reno,\n15.0,,agent-gone,reno,\n15.05,1,fallback,agent-gone,\n";
        text += "20.0,,agent-attached,reno,\n20.02,1,adopted,,\n";
        Trace::parse(&text, &[]).unwrap()
    }

    #[test]
    fn picture_has_what_the_trace_has() {
        let panels = panels::choose(&[]);
        let picture = draw(&trace(), Some("a <title>"), &panels).unwrap();
        for text in [
            "a &lt;title&gt;",
            "window (packets)",
            "RTT (ms)",
            "rate (Mbit/s)",
            "queue (packets)",
            "delivered (packets)",
            "time (s)",
            "agent &apos;reno&apos; gone, fallback (agent-gone)",
            "agent &apos;reno&apos; attached, adopted",
            "fallback program",
            "flow 1",
        ] {
            assert!(picture.contains(text), "no '{text}'");
        }
        // Pacing has no values, so it has no name in the picture either.
        assert!(!picture.contains("pacing"));
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
        let few = panels::choose(&[PanelName::Rate, PanelName::Window]);
        let picture = draw(&trace(), None, &few).unwrap();
        assert!(picture.contains("window (packets)") && !picture.contains("RTT (ms)"));
        assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"));
    }
}
