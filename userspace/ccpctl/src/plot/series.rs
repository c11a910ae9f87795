// SPDX-License-Identifier: GPL-2.0
//! What is drawn of a trace: points of a quantity, and times of fallback.

use super::trace::{Sample, Trace};

/// Runs of samples of one flow that have a value, as time and value.
pub(super) fn runs(
    samples: &[Sample],
    value: fn(&Sample) -> Option<f64>,
) -> impl Iterator<Item = Vec<(f64, f64)>> + '_ {
    samples
        .split(move |sample| value(sample).is_none())
        .map(move |run| {
            run.iter()
                .filter_map(|sample| Some((sample.time, value(sample)?)))
                .collect::<Vec<_>>()
        })
        .filter(|run| !run.is_empty())
}

/// Moving means over `span` around each point.
pub(super) fn means(points: &[(f64, f64)], span: f64) -> Vec<(f64, f64)> {
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
pub(super) fn shaded(trace: &Trace) -> Vec<(f64, f64)> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
