//! How fast requests are sent.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The pace of one account, in the provider's own units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pacing {
    /// Units per second over time. More than zero; infinite for no limit.
    pub units_per_second: f64,
    /// Units that may be spent at once after a quiet time. A dearer request is still sent, and the next ones wait longer.
    pub burst: f64,
}

impl Pacing {
    /// No limit of our own.
    pub const UNLIMITED: Self = Self {
        units_per_second: f64::INFINITY,
        burst: 0.0,
    };

    pub(crate) fn is_usable(&self) -> bool {
        self.units_per_second > 0.0 && self.burst >= 0.0
    }
}

/// Lets requests through one by one at the pace, and none while the provider asked for a pause.
#[derive(Debug)]
pub(crate) struct Gate {
    started: Instant,
    bucket: Mutex<Bucket>,
}

impl Gate {
    pub(crate) fn new(pacing: Pacing) -> Self {
        Self {
            started: Instant::now(),
            bucket: Mutex::new(Bucket::new(pacing)),
        }
    }

    /// Waits for its turn.
    pub(crate) async fn pass(&self, units: u32) {
        let turn = self.with(|bucket, now| bucket.take(now, units));
        sleep(turn).await;
        self.resumed().await;
    }

    /// Waits until no pause is left. One may begin, or grow, while waiting.
    pub(crate) async fn resumed(&self) {
        loop {
            let pause = self.with(|bucket, now| bucket.pause_left(now));
            if pause.is_zero() {
                return;
            }
            sleep(pause).await;
        }
    }

    /// Holds everybody back for `wait` from now on. Returns by how much this lengthens the pause.
    pub(crate) fn pause(&self, wait: Duration) -> Duration {
        self.with(|bucket, now| bucket.pause(now, wait))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Bucket, Duration) -> T) -> T {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut bucket, self.started.elapsed())
    }
}

async fn sleep(wait: Duration) {
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
}

/// A token bucket whose callers queue: it may go below zero, and whoever takes it there waits until it would be level again. Times are
/// since some start.
#[derive(Debug)]
struct Bucket {
    pacing: Pacing,
    level: f64,
    filled_at: Duration,
    paused_until: Duration,
}

impl Bucket {
    fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            level: pacing.burst,
            filled_at: Duration::ZERO,
            paused_until: Duration::ZERO,
        }
    }

    /// Takes units; returns how long to wait before using them.
    fn take(&mut self, now: Duration, units: u32) -> Duration {
        let Pacing {
            units_per_second,
            burst,
        } = self.pacing;
        if units_per_second.is_infinite() {
            return Duration::ZERO;
        }
        let gained = now.saturating_sub(self.filled_at).as_secs_f64() * units_per_second;
        self.level = (self.level + gained).min(burst) - f64::from(units);
        self.filled_at = now;
        if self.level >= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(-self.level / units_per_second).unwrap_or(Duration::MAX)
    }

    fn pause(&mut self, now: Duration, wait: Duration) -> Duration {
        let until = now.saturating_add(wait);
        let grown = until.saturating_sub(self.paused_until.max(now));
        self.paused_until = self.paused_until.max(until);
        grown
    }

    fn pause_left(&self, now: Duration) -> Duration {
        self.paused_until.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(units_per_second: f64, burst: f64) -> Bucket {
        Bucket::new(Pacing {
            units_per_second,
            burst,
        })
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_goes_at_once_and_then_the_pace_holds() {
        let mut bucket = bucket(10.0, 2.0);
        let waits: Vec<Duration> = (0..5).map(|_| bucket.take(ms(0), 1)).collect();
        assert_eq!(waits, [ms(0), ms(0), ms(100), ms(200), ms(300)]);
    }

    #[test]
    fn dear_requests_make_the_next_wait() {
        let mut bucket = bucket(10.0, 5.0);
        assert_eq!(bucket.take(ms(0), 20), ms(1500));
        assert_eq!(bucket.take(ms(1500), 1), ms(100));
    }

    #[test]
    fn quiet_time_fills_no_more_than_the_burst() {
        let mut bucket = bucket(10.0, 2.0);
        assert_eq!(bucket.take(ms(60_000), 2), ms(0));
        assert_eq!(bucket.take(ms(60_000), 1), ms(100));
    }

    #[test]
    fn no_limit_never_waits() {
        let mut bucket = Bucket::new(Pacing::UNLIMITED);
        for _ in 0..1000 {
            assert_eq!(bucket.take(ms(0), u32::MAX), ms(0));
        }
    }

    #[test]
    fn a_pause_holds_until_its_latest_end_and_is_counted_once() {
        let mut bucket = bucket(10.0, 2.0);
        assert_eq!(bucket.pause(ms(0), ms(1000)), ms(1000));
        assert_eq!(bucket.pause(ms(500), ms(1000)), ms(500));
        assert_eq!(bucket.pause(ms(600), ms(100)), ms(0));
        assert_eq!(bucket.pause_left(ms(700)), ms(800));
        assert_eq!(bucket.pause_left(ms(1500)), ms(0));
        assert_eq!(bucket.pause(ms(2000), ms(10)), ms(10));
    }

    #[test]
    fn a_pace_of_nothing_is_not_usable() {
        for units_per_second in [0.0, -1.0, f64::NAN] {
            let pacing = Pacing {
                units_per_second,
                burst: 1.0,
            };
            assert!(!pacing.is_usable(), "{units_per_second}");
        }
        assert!(Pacing::UNLIMITED.is_usable());
    }
}
