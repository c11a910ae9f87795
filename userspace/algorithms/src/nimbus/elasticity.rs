// SPDX-License-Identifier: GPL-2.0
//! Do others answer to our pulses?

use std::{collections::VecDeque, f64::consts::TAU};

/// Seconds between samples.
pub(super) const STEP: f64 = 0.01;
/// Samples that are looked at: five seconds.
pub(super) const LENGTH: usize = 500;
/// Of the pulses, Hz.
pub(super) const PULSE: f64 = 5.0;
/// The peak at the pulses' frequency is so many times the greatest of the
/// frequencies up to twice that, if others answer.
const ELASTIC: f64 = 2.0;
/// Share of the link's rate below which an answer is noise.
const NOISE: f64 = 0.01;

/// What is added to the rate, as a share of the link's: half a sine up in the
/// first quarter of a period, and what that was down again in the rest.
pub(super) fn pulse(seconds: f64) -> f64 {
    let phase = (seconds * PULSE).fract();
    if phase < 0.25 {
        (phase / 0.25 * TAU / 2.0).sin() / 4.0
    } else {
        -((phase - 0.25) / 0.75 * TAU / 2.0).sin() / 12.0
    }
}

/// The rate of the cross traffic over the last five seconds.
#[derive(Default)]
pub(super) struct Cross {
    samples: VecDeque<f64>,
}

impl Cross {
    pub(super) fn push(&mut self, rate: f64) {
        if self.samples.len() == LENGTH {
            self.samples.pop_front();
        }
        self.samples.push_back(rate);
    }

    /// Amplitude of a frequency.
    fn amplitude(&self, frequency: f64) -> f64 {
        let mean = self.samples.iter().sum::<f64>() / LENGTH as f64;
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (k, sample) in self.samples.iter().enumerate() {
            let angle = TAU * frequency * STEP * k as f64;
            real += (sample - mean) * angle.cos();
            imaginary += (sample - mean) * angle.sin();
        }
        2.0 * f64::hypot(real, imaginary) / LENGTH as f64
    }

    /// Whether others give way when we pulse, on a link of this rate; `None`
    /// before there are five seconds to look at.
    pub(super) fn is_elastic(&self, link: f64) -> Option<bool> {
        if self.samples.len() < LENGTH {
            return None;
        }
        let bin = 1.0 / (STEP * LENGTH as f64);
        let between = (PULSE / bin) as usize;
        let noise = (1..between)
            .map(|k| self.amplitude(PULSE + k as f64 * bin))
            .fold(NOISE * link, f64::max);
        Some(self.amplitude(PULSE) >= ELASTIC * noise)
    }
}
