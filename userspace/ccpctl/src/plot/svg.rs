// SPDX-License-Identifier: GPL-2.0
//! The few SVG elements a chart needs.

use std::fmt::Write;

pub(super) struct Svg {
    body: String,
    width: f64,
}

/// How a line looks.
#[derive(Copy, Clone)]
pub(super) struct Stroke<'a> {
    pub(super) colour: &'a str,
    pub(super) width: f64,
    /// Lengths of dashes and gaps; empty for a solid line.
    pub(super) dashes: &'a str,
}

/// Where a text stands relative to its point.
#[derive(Copy, Clone)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(super) fn new(width: f64) -> Self {
        Self {
            body: String::new(),
            width,
        }
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{element}");
    }

    pub(super) fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str) {
        self.put(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{fill}"/>"#
        ));
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke<'_>) {
        self.polyline(&[from, to], stroke);
    }

    /// Points closer than the eye can tell are left out.
    pub(super) fn polyline(&mut self, points: &[(f64, f64)], stroke: Stroke<'_>) {
        let mut path = String::new();
        let mut last = None;
        for &(x, y) in points {
            let point = (format!("{x:.1}"), format!("{y:.1}"));
            if last.as_ref() != Some(&point) {
                let _ = write!(path, "{},{} ", point.0, point.1);
                last = Some(point);
            }
        }
        let dashes = match stroke.dashes {
            "" => String::new(),
            dashes => format!(r#" stroke-dasharray="{dashes}""#),
        };
        self.put(format_args!(
            r#"<polyline points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-linejoin="round"{dashes}/>"#,
            path.trim_end(),
            stroke.colour,
            stroke.width,
        ));
    }

    pub(super) fn text(&mut self, at: (f64, f64), anchor: Anchor, size: f64, text: &str) {
        self.text_with(at, anchor, size, "", text);
    }

    pub(super) fn bold(&mut self, at: (f64, f64), anchor: Anchor, size: f64, text: &str) {
        self.text_with(at, anchor, size, r#" font-weight="bold""#, text);
    }

    /// Text that reads upwards.
    pub(super) fn upright(&mut self, at: (f64, f64), size: f64, text: &str) {
        let turn = format!(r#" transform="rotate(-90 {:.1} {:.1})""#, at.0, at.1);
        self.text_with(at, Anchor::Middle, size, &turn, text);
    }

    fn text_with(&mut self, at: (f64, f64), anchor: Anchor, size: f64, more: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        self.put(format_args!(
            r#"<text x="{:.1}" y="{:.1}" font-size="{size}" text-anchor="{anchor}"{more}>{text}</text>"#,
            at.0, at.1
        ));
    }

    pub(super) fn finish(self, height: f64) -> String {
        let Self { body, width } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" \
             font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\" fill=\"#222\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
        )
    }
}
