// SPDX-License-Identifier: GPL-2.0
//! When to try again: twice as late each time, and not all at once.

use crate::config::Retry;
use fastrand::Rng;
use std::time::Duration;

/// Attempts so far, and the time of the next one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Backoff {
    pub(crate) attempts: u32,
    /// `None`: there will be no further one.
    pub(crate) until: Option<Duration>,
}

impl Backoff {
    /// One more attempt failed at `now`.
    pub(crate) fn failed(&mut self, now: Duration, retry: &Retry, rng: &mut Rng) {
        self.attempts = self.attempts.saturating_add(1);
        if retry.attempts != 0 && self.attempts >= retry.attempts {
            self.until = None;
            return;
        }
        let doubled = retry
            .first_ms
            .saturating_mul(1 << (self.attempts - 1).min(32));
        let ms = doubled.min(retry.longest_ms);
        // A quarter less to a quarter more.
        let quarter = ms / 4;
        let ms = (ms - quarter).saturating_add(rng.u64(0..=quarter.saturating_mul(2)));
        self.until = Some(now.saturating_add(Duration::from_millis(ms)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_a_limit_and_ends() {
        let retry = Retry {
            first_ms: 1000,
            longest_ms: 5000,
            attempts: 6,
        };
        let mut rng = Rng::with_seed(1);
        let mut backoff = Backoff::default();
        for expected in [1.0, 2.0, 4.0, 5.0, 5.0] {
            backoff.failed(Duration::ZERO, &retry, &mut rng);
            let until = backoff.until.unwrap().as_secs_f64();
            assert!(
                (0.75 * expected..=1.25 * expected).contains(&until),
                "{until}"
            );
        }
        backoff.failed(Duration::ZERO, &retry, &mut rng);
        assert_eq!(backoff.until, None);
    }
}
