// SPDX-License-Identifier: GPL-2.0
//! Labels of events: near ones joined, overlapping ones on rows of their own.

use super::trace::Mark;
use std::ops::Range;

/// Events closer than this share a line and a label.
const TOGETHER: i32 = 12;
/// A label starts this far left of its line, and ends this far from the next.
const INDENT: i32 = 6;
const GAP: i32 = 12;

/// All in pixels; row 0 is the topmost.
#[derive(Debug)]
pub(super) struct Label {
    /// Place of the line.
    pub(super) line: i32,
    pub(super) start: i32,
    pub(super) row: usize,
    pub(super) text: String,
}

/// Places the labels within `room`. `x` gives the place of a time, `width` the
/// room a text needs.
pub(super) fn place(
    marks: &[Mark],
    room: &Range<i32>,
    x: impl Fn(f64) -> i32,
    width: impl Fn(&str) -> i32,
) -> Vec<Label> {
    let mut marks: Vec<&Mark> = marks.iter().collect();
    marks.sort_by(|a, b| a.time.total_cmp(&b.time));
    let mut joined: Vec<(i32, Vec<&str>)> = Vec::new();
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
    // From the right: a label goes to the lowest row in which it ends left of
    // what stands there and of the lines that come down through it.
    let mut starts: Vec<i32> = Vec::new();
    let mut labels = Vec::new();
    for (line, texts) in joined.into_iter().rev() {
        let text = texts.join(", ");
        let width = width(&text);
        let start = (line - INDENT).min(room.end - width).max(room.start);
        let end = start + width + GAP;
        let fits = |row: &usize| starts[*row..].iter().all(|&next| end <= next);
        let row = (0..starts.len()).find(fits).unwrap_or(starts.len());
        starts.resize(starts.len().max(row + 1), i32::MAX);
        starts[row] = start;
        labels.push(Label {
            line,
            start,
            row,
            text,
        });
    }
    // Row 0 is the lowest so far: the leftmost must be the topmost.
    for label in &mut labels {
        label.row = starts.len() - 1 - label.row;
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_events_share_a_label_and_far_ones_do_not_overlap() {
        let mark = |time, text: &str| Mark {
            time,
            text: text.to_owned(),
        };
        let marks = [
            mark(0.0, "agent 'reno' attached"),
            mark(15.05, "fallback (agent-gone)"),
            mark(15.0, "agent 'reno' gone"),
            mark(20.0, "agent 'reno' attached"),
            mark(20.02, "adopted"),
            mark(20.03, "adopted"),
        ];
        let width = |text: &str| 12 * i32::try_from(text.len()).unwrap();
        let labels = place(&marks, &(0..1200), |time| (40.0 * time) as i32, width);
        assert_eq!(labels.len(), 3);
        assert_eq!(labels[0].text, "agent 'reno' attached, adopted");
        for (index, a) in labels.iter().enumerate() {
            assert!(a.start >= 0 && a.start + width(&a.text) <= 1200, "{a:?}");
            for b in labels.iter().skip(index + 1) {
                let apart = b.start + width(&b.text) < a.start;
                assert!(a.row != b.row || apart, "{a:?} over {b:?}");
            }
        }
    }
}
