//! How fast requests are sent.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::header::HeaderMap;
use tokio::time::Instant;

/// No provider announces a window longer than this; what else stands there is not waited for.
const LONGEST_WINDOW: Duration = Duration::from_mins(5);

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

/// What a provider says is left until its window ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Allowance {
    /// Units.
    pub(crate) remaining: f64,
    /// Time to the end of the window.
    pub(crate) reset: Duration,
}

impl Allowance {
    /// From `RateLimit-Remaining` and `RateLimit-Reset`, the latter in seconds (draft-ietf-httpapi-ratelimit-headers-07 §5). Microsoft
    /// sends them when most of a minute's units are spent.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
        Some(Self {
            remaining: f64::from(number("ratelimit-remaining")?),
            reset: Duration::from_secs(u64::from(number("ratelimit-reset")?)).min(LONGEST_WINDOW),
        })
    }
}

/// Lets requests through one by one at the pace, more slowly while the provider says that little is left, and none while it asked for a
/// pause.
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

    /// Spreads what is left over the rest of the window, so that nothing is refused: others may spend of it, too.
    pub(crate) fn spread(&self, allowance: Allowance) {
        self.with(|bucket, now| bucket.spread(now, allowance));
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
    /// The pace until then is at most `slow_units_per_second`.
    slow_until: Duration,
    slow_units_per_second: f64,
}

impl Bucket {
    fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            level: pacing.burst,
            filled_at: Duration::ZERO,
            paused_until: Duration::ZERO,
            slow_until: Duration::ZERO,
            slow_units_per_second: f64::INFINITY,
        }
    }

    /// Takes units; returns how long to wait before using them.
    fn take(&mut self, now: Duration, units: u32) -> Duration {
        self.fill(now);
        if self.pacing.units_per_second.is_infinite() && now >= self.slow_until {
            return Duration::ZERO;
        }
        self.level -= f64::from(units);
        if self.level >= 0.0 {
            return Duration::ZERO;
        }
        self.time_for(now, -self.level)
    }

    /// What came in since the last time.
    fn fill(&mut self, now: Duration) {
        let slow_to = self.slow_until.clamp(self.filled_at, now.max(self.filled_at));
        let slow = gain(slow_to.saturating_sub(self.filled_at), self.slow_pace());
        let full = gain(now.saturating_sub(slow_to), self.pacing.units_per_second);
        self.level = (self.level + slow + full).min(self.pacing.burst);
        self.filled_at = now;
    }

    /// How long it takes for so many units to come in.
    fn time_for(&self, now: Duration, units: f64) -> Duration {
        let slow_left = self.slow_until.saturating_sub(now);
        let slow = gain(slow_left, self.slow_pace());
        let (before, rest, pace) = if units <= slow {
            (Duration::ZERO, units, self.slow_pace())
        } else {
            (slow_left, units - slow, self.pacing.units_per_second)
        };
        let after = Duration::try_from_secs_f64(rest / pace).unwrap_or(Duration::MAX);
        before.saturating_add(after)
    }

    fn slow_pace(&self) -> f64 {
        self.slow_units_per_second.min(self.pacing.units_per_second)
    }

    fn spread(&mut self, now: Duration, allowance: Allowance) {
        let Allowance { remaining, reset } = allowance;
        if reset.is_zero() {
            return;
        }
        self.fill(now);
        self.level = self.level.min(remaining);
        self.slow_until = now.saturating_add(reset);
        // What has come in already may be spent at once, so only the others are spread.
        self.slow_units_per_second = (remaining - self.level.max(0.0)) / reset.as_secs_f64();
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

/// Units that come in over a time; none over no time, however fast.
fn gain(time: Duration, units_per_second: f64) -> f64 {
    if time.is_zero() {
        0.0
    } else {
        time.as_secs_f64() * units_per_second
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

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

    fn left(remaining: f64, reset_ms: u64) -> Allowance {
        Allowance {
            remaining,
            reset: ms(reset_ms),
        }
    }

    #[test]
    fn what_is_left_is_spread_over_the_rest_of_the_window() {
        let mut bucket = bucket(10.0, 2.0);
        bucket.spread(ms(0), left(4.0, 4000));
        let waits: Vec<Duration> = (0..5).map(|_| bucket.take(ms(0), 1)).collect();
        // Four until the window ends, and then the pace is the usual one.
        assert_eq!(waits, [ms(0), ms(0), ms(2000), ms(4000), ms(4100)]);
        assert_eq!(bucket.take(ms(5000), 1), ms(0));
        assert_eq!(bucket.take(ms(5000), 6), ms(500));
    }

    #[test]
    fn more_left_than_the_pace_spends_changes_nothing() {
        let mut bucket = bucket(10.0, 2.0);
        bucket.spread(ms(0), left(250.0, 4000));
        let waits: Vec<Duration> = (0..4).map(|_| bucket.take(ms(0), 1)).collect();
        assert_eq!(waits, [ms(0), ms(0), ms(100), ms(200)]);
    }

    #[test]
    fn nothing_left_waits_for_the_end_of_the_window() {
        let mut bucket = bucket(10.0, 2.0);
        bucket.spread(ms(0), left(0.0, 9000));
        assert_eq!(bucket.take(ms(1000), 1), ms(8100));
        assert_eq!(bucket.take(ms(9500), 1), ms(0));
        let mut unlimited = Bucket::new(Pacing::UNLIMITED);
        assert_eq!(unlimited.take(ms(0), 1000), ms(0));
        unlimited.spread(ms(0), left(0.0, 9000));
        assert_eq!(unlimited.take(ms(1000), 40), ms(8000));
        assert_eq!(unlimited.take(ms(9000), 40), ms(0));
    }

    #[rstest]
    #[case::plain("250", "30", Some(left(250.0, 30_000)))]
    #[case::none_left("0", "5", Some(left(0.0, 5000)))]
    #[case::for_ever("0", "86400", Some(left(0.0, 300_000)))]
    #[case::other_form("250;w=60", "30", None)]
    #[case::negative("-1", "30", None)]
    fn reads_what_is_left(#[case] remaining: &str, #[case] reset: &str, #[case] expected: Option<Allowance>) {
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-remaining", remaining.parse().unwrap());
        assert_eq!(Allowance::read(&headers), None);
        headers.insert("ratelimit-reset", reset.parse().unwrap());
        assert_eq!(Allowance::read(&headers), expected);
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
