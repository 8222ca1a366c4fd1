//! `Clock`: the time of a run, read from the wall once and counted monotonically from there.

use std::fmt;
use std::ops::Sub;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, in nanoseconds since the Unix epoch.
///
/// On the wire it is an integer of milliseconds, so one that was read back knows milliseconds only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment this many nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The moment this many milliseconds after the Unix epoch; at most the year 2554.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    pub(crate) const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Milliseconds since the Unix epoch, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
}

/// The time from the right moment to the left one; zero if that is negative.
impl Sub for Timestamp {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_nanos(timestamp.0)
    }
}

/// Milliseconds since the Unix epoch.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_millis().fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_millis().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self::from_millis)
    }
}

/// What tells a recorder the time. Tests put their own in its place.
///
/// # Examples
///
/// A clock that stands still:
///
/// ```
/// use std::time::Duration;
/// use timbal_core::{Clock, Timbal, Timestamp};
///
/// struct Still;
///
/// impl Clock for Still {
///     fn wall(&self) -> Timestamp {
///         Timestamp::from_millis(1_640_995_200_000)
///     }
///     fn monotonic(&self) -> Duration {
///         Duration::ZERO
///     }
/// }
///
/// let timbal = Timbal::builder().clock(Still).build();
/// # drop(timbal);
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The time of day. Read once a run, when its root call starts.
    fn wall(&self) -> Timestamp;

    /// The time since a fixed moment of this process. It never goes back.
    fn monotonic(&self) -> Duration;
}

/// The clock of one run: the wall's time at its start, and the ticks since.
#[derive(Clone)]
pub(crate) struct RunClock {
    ticks: Ticks,
    start: Timestamp,
    start_ticks: u64,
}

/// Where nanoseconds are counted.
#[derive(Clone)]
enum Ticks {
    /// The processor's time stamp counter: 12 ns a reading.
    Tsc,
    /// The operating system's monotonic clock, where there is no such counter to trust.
    System,
    /// A recorder's own.
    Own(Arc<dyn Clock>),
}

/// What the processor's counter is measured from.
static TSC_ZERO: LazyLock<fastant::Anchor> = LazyLock::new(fastant::Anchor::new);
static SYSTEM_ZERO: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Ticks {
    fn now(&self) -> u64 {
        match self {
            Self::Tsc => fastant::Instant::now().as_unix_nanos(&TSC_ZERO),
            Self::System => SYSTEM_ZERO.elapsed().as_nanos() as u64,
            Self::Own(clock) => clock.monotonic().as_nanos() as u64,
        }
    }
}

impl RunClock {
    /// Starts here and now.
    pub(crate) fn start(own: Option<&Arc<dyn Clock>>) -> Self {
        let (ticks, start) = match own {
            Some(clock) => (Ticks::Own(Arc::clone(clock)), clock.wall()),
            None if fastant::is_tsc_available() => (Ticks::Tsc, SystemTime::now().into()),
            None => (Ticks::System, SystemTime::now().into()),
        };
        let start_ticks = ticks.now();
        Self { ticks, start, start_ticks }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = self.ticks.now().saturating_sub(self.start_ticks);
        Timestamp(self.start.0.saturating_add(elapsed))
    }
}
