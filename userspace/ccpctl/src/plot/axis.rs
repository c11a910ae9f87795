// SPDX-License-Identifier: GPL-2.0
//! Axes with round numbers.

/// A linear axis from 0.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) end: f64,
    pub(super) step: f64,
}

impl Axis {
    /// Covers 0 to `largest` in about `parts` steps of 1, 2, 2.5 or 5 times a
    /// power of ten. `whole` ends the axis at a step, else it ends at the data.
    pub(super) fn new(largest: f64, parts: f64, whole: bool) -> Self {
        let largest = if largest > 0.0 { largest } else { 1.0 };
        let rough = largest / parts;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0]
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
        // As many digits as the step itself needs.
        let decimals = (0..9)
            .find(|&digits| {
                let scaled = self.step * 10_f64.powi(digits);
                (scaled - scaled.round()).abs() < scaled * 1e-6
            })
            .unwrap_or(9) as usize;
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
        assert_eq!(
            labels(Axis::new(83.0, 4.0, true)),
            ["0", "25", "50", "75", "100"]
        );
        assert_eq!(
            labels(Axis::new(20.0, 4.0, true)),
            ["0", "5", "10", "15", "20"]
        );
        assert_eq!(
            labels(Axis::new(0.9, 4.0, true)),
            ["0.00", "0.25", "0.50", "0.75", "1.00"]
        );
        assert_eq!(labels(Axis::new(0.0, 4.0, true)).len(), 5);
        assert_eq!(
            Axis::new(30.2, 10.0, false).end.to_bits(),
            30.2_f64.to_bits()
        );
    }
}
