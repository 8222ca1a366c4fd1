//! `Stats`: how often paths were called, how long that took, and what it used.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Which calls are counted, and how they are grouped.
///
/// # Examples
///
/// One path, hour by hour, in the last day:
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use timbal_core::{StatsQuery, Timbal};
///
/// let query = StatsQuery::new()
///     .path("index.read")
///     .since(SystemTime::now() - Duration::from_secs(86_400))
///     .bucket(Duration::from_secs(3_600));
/// let timbal = Timbal::builder().build();
/// let stats = futures::executor::block_on(timbal.stats(&query))?;
/// assert!(stats.paths.is_empty());
/// # Ok::<(), timbal_core::StoreError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StatsQuery {
    /// The path of the calls; all paths, each on its own, if there is none.
    pub path: Option<String>,
    /// The call started at this time or later.
    pub since: Option<Timestamp>,
    /// The call started before this time.
    pub until: Option<Timestamp>,
    /// How much time is counted together; all of it if this is `None` or zero.
    pub bucket: Option<Duration>,
}

impl StatsQuery {
    /// All calls of all times, path by path.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls of this path.
    #[must_use]
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// Calls that started at this time or later.
    #[must_use]
    pub fn since(self, since: impl Into<Timestamp>) -> Self {
        Self { since: Some(since.into()), ..self }
    }

    /// Calls that started before this time.
    #[must_use]
    pub fn until(self, until: impl Into<Timestamp>) -> Self {
        Self { until: Some(until.into()), ..self }
    }

    /// Counts so much time together. Buckets begin at multiples of it since the Unix epoch, in UTC.
    #[must_use]
    pub fn bucket(self, bucket: Duration) -> Self {
        Self { bucket: Some(bucket), ..self }
    }

    /// Whether calls of this path that started then are counted.
    pub fn matches(&self, path: &str, t0: Timestamp) -> bool {
        self.path.as_ref().is_none_or(|asked| asked == path)
            && self.since.is_none_or(|since| t0 >= since)
            && self.until.is_none_or(|until| t0 < until)
    }

    /// The beginning of the bucket that this time is in, if there are buckets.
    pub(crate) fn bucket_of(&self, t0: Timestamp) -> Option<Timestamp> {
        let width = self.bucket.map_or(0, |bucket| bucket.as_nanos());
        let width = u64::try_from(width).unwrap_or(u64::MAX);
        let start = t0.as_nanos() - t0.as_nanos().checked_rem(width)?;
        Some(Timestamp::from_nanos(start))
    }
}

/// How often paths were called, how long that took, and what it used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stats {
    /// By path, then by time.
    pub paths: Vec<PathStats>,
}

/// The calls of one path, in one bucket of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PathStats {
    /// The path.
    pub path: String,
    /// When the bucket begins; `None` if all of the time is one.
    pub bucket: Option<Timestamp>,
    /// How many calls ended.
    pub count: u64,
    /// How many have not: they are running, or were interrupted. They are in no other figure.
    pub unfinished: u64,
    /// How many of them ended with `error` or `timeout`.
    pub errors: u64,
    /// How long they took.
    pub elapsed: Percentiles,
    /// How long they were really running.
    pub busy: Percentiles,
    /// What they and the calls below them used. It is not to be summed over paths.
    pub usage: BTreeMap<String, u64>,
    /// What they themselves used.
    pub usage_own: BTreeMap<String, u64>,
}

impl PathStats {
    /// The share of calls that ended with an error: 0 to 1.
    pub fn error_rate(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.errors as f64 / self.count as f64 }
    }
}

/// Times that so many percent of the calls did not exceed, by nearest rank: of `n` times in order,
/// the one at place `⌈n · p / 100⌉`. So each is the time of a call, and exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Percentiles {
    /// Half of the calls took at most so long.
    pub p50_ns: u64,
    /// 95 of 100 calls took at most so long.
    pub p95_ns: u64,
    /// 99 of 100 calls took at most so long.
    pub p99_ns: u64,
}

impl Percentiles {
    /// The percentiles of these times, in nanoseconds; zero if there are none.
    ///
    /// # Examples
    ///
    /// ```
    /// let percentiles = timbal_core::Percentiles::of((1..=200).collect());
    /// assert_eq!((percentiles.p50_ns, percentiles.p99_ns), (100, 198));
    /// ```
    pub fn of(mut times: Vec<u64>) -> Self {
        let mut at = |percent: usize| {
            let place = (times.len() * percent).div_ceil(100).checked_sub(1)?;
            Some(*times.select_nth_unstable(place).1)
        };
        let [p50_ns, p95_ns, p99_ns] = [50, 95, 99].map(|percent| at(percent).unwrap_or(0));
        Self { p50_ns, p95_ns, p99_ns }
    }

    /// Half of the calls took at most so long.
    pub fn p50(&self) -> Duration {
        Duration::from_nanos(self.p50_ns)
    }

    /// 95 of 100 calls took at most so long.
    pub fn p95(&self) -> Duration {
        Duration::from_nanos(self.p95_ns)
    }

    /// 99 of 100 calls took at most so long.
    pub fn p99(&self) -> Duration {
        Duration::from_nanos(self.p99_ns)
    }
}
