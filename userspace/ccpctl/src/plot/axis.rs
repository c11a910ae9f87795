// SPDX-License-Identifier: GPL-2.0
//! Axes with round numbers.

/// A linear axis from 0.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) end: f64,
    pub(super) step: f64,
}

impl Axis {
    /// Covers 0 to `largest` in about `parts` steps of 1, 2 or 5 times a power
    /// of ten. `whole` ends the axis at a step, else it ends at the data.
    pub(super) fn new(largest: f64, parts: f64, whole: bool) -> Self {
        let largest = if largest > 0.0 { largest } else { 1.0 };
        let rough = largest / parts;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|&step| step >= rough * 0.999)
            .unwrap_or(10.0 * power);
        let end = if whole {
            (largest / step).ceil() * step
        } else {
            largest
        };
        Self { end, step }
    }

    /// The places of ticks and their labels.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, String)> + '_ {
        let decimals = if self.step < 1.0 {
            (-self.step.log10()).ceil() as usize
        } else {
            0
        };
        (0..)
            .map(|index| f64::from(index) * self.step)
            .take_while(|&value| value <= self.end * 1.0001)
            .map(move |value| (value, format!("{value:.decimals$}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let labels = |axis: Axis| axis.ticks().map(|tick| tick.1).collect::<Vec<_>>();
        assert_eq!(labels(Axis::new(83.0, 4.0, true)), ["0", "50", "100"]);
        assert_eq!(
            labels(Axis::new(20.0, 4.0, true)),
            ["0", "5", "10", "15", "20"]
        );
        assert_eq!(labels(Axis::new(0.9, 4.0, true)), ["0.0", "0.5", "1.0"]);
        assert_eq!(labels(Axis::new(0.0, 4.0, true)).len(), 3);
        assert_eq!(
            Axis::new(30.2, 10.0, false).end.to_bits(),
            30.2_f64.to_bits()
        );
    }
}
