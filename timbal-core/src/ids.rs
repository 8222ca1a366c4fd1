//! `RunId` and `CallId`: what names a run and a call, in every process that takes part.

use std::cell::RefCell;
use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

use rand::rngs::{SmallRng, SysRng};
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::clock::Timestamp;

/// Names a run: a [UUIDv7](https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7) whose 74
/// free bits are all random. Never zero, so it is also a W3C trace id.
///
/// It prints as, and parses from, 32 hex digits. The ids of later runs are greater, to the
/// millisecond.
///
/// # Examples
///
/// ```
/// let id: timbal_core::RunId = "0197f4a89c4b7d3ea1f00c5e8a6b2d41".parse()?;
/// assert_eq!(id.to_string(), "0197f4a89c4b7d3ea1f00c5e8a6b2d41");
/// # Ok::<(), timbal_core::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(NonZeroU128);

/// Names a call within its run: 8 bytes that look random, never zero, so it is also an OpenTelemetry
/// span id.
///
/// It prints as, and parses from, 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(NonZeroU64);

/// Where the random bits of ids come from.
///
/// # Examples
///
/// A test whose ids are 1, 2, 3, …:
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// let next = AtomicU64::new(1);
/// let timbal = timbal_core::Timbal::builder()
///     .ids(move || next.fetch_add(1, Ordering::Relaxed))
///     .build();
/// # drop(timbal);
/// ```
pub trait IdSource: Send + Sync + 'static {
    /// 64 bits that no other call gives. A `CallId` takes one such number, a `RunId` two.
    fn bits(&self) -> u64;
}

impl<F: Fn() -> u64 + Send + Sync + 'static> IdSource for F {
    fn bits(&self) -> u64 {
        self()
    }
}

thread_local! {
    /// 256 bits of state a thread, seeded by the operating system: about 1 ns a number.
    static GENERATOR: RefCell<SmallRng> = RefCell::new(seeded());
}

fn seeded() -> SmallRng {
    // Where the system has no randomness to give, the time and the thread must do.
    SmallRng::try_from_rng(&mut SysRng).unwrap_or_else(|_| {
        let thread = std::thread::current().id();
        let now = std::time::SystemTime::now();
        SmallRng::seed_from_u64(std::hash::BuildHasher::hash_one(
            &std::hash::RandomState::new(),
            (thread, now),
        ))
    })
}

/// Random bits of this thread's generator.
pub(crate) fn random_bits() -> u64 {
    GENERATOR
        .try_with(|generator| generator.borrow_mut().random())
        .unwrap_or_else(|_| seeded().random()) // the thread is ending
}

impl RunId {
    /// The id of a run that starts at this time, with these random bits.
    pub(crate) fn new(start: Timestamp, high: u64, low: u64) -> Self {
        const VERSION_7: u128 = 0x7 << 76;
        const VARIANT: u128 = 0b10 << 62;
        let millis = u128::from(start.as_millis()) & 0xffff_ffff_ffff;
        let rand_a = u128::from(high & 0xfff);
        let rand_b = u128::from(low & (u64::MAX >> 2));
        let bits = millis << 80 | VERSION_7 | rand_a << 64 | VARIANT | rand_b;
        Self(NonZeroU128::new(bits).expect("the version bits are set"))
    }

    /// The id as a number; `None` for zero.
    pub fn from_u128(bits: u128) -> Option<Self> {
        NonZeroU128::new(bits).map(Self)
    }

    /// The 128 bits of the id.
    pub fn as_u128(self) -> u128 {
        self.0.get()
    }
}

impl CallId {
    pub(crate) const MIN: Self = Self(NonZeroU64::MIN);

    pub(crate) fn new(bits: u64) -> Self {
        NonZeroU64::new(bits).map_or(Self::MIN, Self)
    }

    /// The id of the call of this number in a run, by `SplitMix64`: it looks random, where the seed is,
    /// and as each of its steps can be undone, no other number of the run gives it.
    #[inline]
    pub(crate) fn numbered(seed: u64, number: u64) -> Self {
        let bits = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self::new(bits ^ bits >> 31)
    }

    /// The id as a number; `None` for zero.
    pub fn from_u64(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Self)
    }

    /// The 64 bits of the id.
    pub fn as_u64(self) -> u64 {
        self.0.get()
    }
}

/// A text that is no id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseIdError {
    digits: usize,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} hex digits that are not all zero", self.digits)
    }
}

impl std::error::Error for ParseIdError {}

/// `from_str_radix` takes a sign; an id has none.
fn hex(text: &str, digits: usize) -> Result<u128, ParseIdError> {
    let valid = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bits = valid.then(|| u128::from_str_radix(text, 16).ok()).flatten();
    bits.filter(|bits| *bits != 0).ok_or(ParseIdError { digits })
}

impl FromStr for RunId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        hex(text, 32).and_then(|bits| Self::from_u128(bits).ok_or(ParseIdError { digits: 32 }))
    }
}

impl FromStr for CallId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        hex(text, 16).map(|bits| Self::new(bits as u64))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({self})")
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallId({self})")
    }
}

/// Ids are text on every wire.
macro_rules! serde_as_text {
    ($($id:ty),*) => {$(
        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

serde_as_text!(RunId, CallId);
