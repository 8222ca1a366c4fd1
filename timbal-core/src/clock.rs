//! `Clock`: the time of a run, read from the wall once and counted monotonically from there.

use std::cell::Cell;
use std::fmt;
use std::ops::Sub;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// The clock of one run: the wall's time about its start, and what has been counted since.
#[derive(Clone)]
pub(crate) enum RunClock {
    /// By the processor's counter, 7 ns a reading, or by the operating system's monotonic clock where
    /// there is no counter to trust.
    Counter { start: Timestamp, zero: u64, clock: &'static quanta::Clock },
    /// By a recorder's own.
    Own { start: Timestamp, zero: Duration, clock: Arc<dyn Clock> },
}

/// How long a thread starts runs by one reading of the wall's clock, in nanoseconds: it takes three
/// times as long as the counter, and is not set by more than that in a millisecond.
const ANCHORED_NS: u64 = 1_000_000;

thread_local! {
    /// The last reading of the wall's clock by this thread, and of the counter just before.
    static ANCHOR: Cell<Option<(Timestamp, u64)>> = const { Cell::new(None) };
}

/// The processor's counter. To find out how fast it counts takes less than a millisecond, once in a
/// process: a recorder does it when it is built.
pub(crate) fn counter() -> &'static quanta::Clock {
    static COUNTER: LazyLock<quanta::Clock> = LazyLock::new(quanta::Clock::new);
    &COUNTER
}

/// What the counter says now, and the wall's time then.
#[inline]
fn anchor(clock: &quanta::Clock) -> (u64, Timestamp) {
    let now = clock.raw();
    if let Some((wall, read)) = ANCHOR.get() {
        let nanos = clock.delta_as_nanos(read, now);
        if nanos < ANCHORED_NS && read <= now {
            return (now, Timestamp(wall.0 + nanos));
        }
    }
    (now, anchor_at(now))
}

#[cold]
fn anchor_at(now: u64) -> Timestamp {
    let wall = SystemTime::now().into();
    ANCHOR.set(Some((wall, now)));
    wall
}

impl RunClock {
    /// Starts here and now, which is the moment that it gives.
    #[inline(always)] // handed up, it would be read in larger parts than it was written in: a wait
    pub(crate) fn start(own: Option<&Arc<dyn Clock>>) -> (Self, Timestamp) {
        match own {
            Some(clock) => {
                let (start, zero) = (clock.wall(), clock.monotonic());
                (Self::Own { start, zero, clock: Arc::clone(clock) }, start)
            }
            None => {
                let clock = counter();
                let (zero, start) = anchor(clock);
                (Self::Counter { start, zero, clock }, start)
            }
        }
    }

    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::Counter { start, zero, clock } => {
                let now = clock.raw(); // before anything else is read, which would have to be kept
                Timestamp(start.0 + clock.delta_as_nanos(*zero, now))
            }
            Self::Own { start, zero, clock } => own_now(*start, *zero, &**clock),
        }
    }
}

#[cold]
fn own_now(start: Timestamp, zero: Duration, clock: &dyn Clock) -> Timestamp {
    let since = clock.monotonic().saturating_sub(zero);
    Timestamp(start.0.saturating_add(since.as_nanos() as u64))
}
