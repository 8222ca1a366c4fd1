//! `Page`: the runs that were found, and `Cursor`: where the next ones begin.

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Filter, RunId, RunSummary, TextSearch, Timestamp};

/// The runs that were found, the newest first: one page of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page {
    /// The runs.
    pub runs: Vec<RunSummary>,
    /// Where the next page begins, for [`Filter::after`]; `None` if this is the last.
    pub next: Option<Cursor>,
    /// If the time was over before the page was full: the runs that started before this have not
    /// been looked at. `next` goes on there.
    pub stopped_at: Option<Timestamp>,
}

impl Page {
    /// The page of what this filter asks for, of these runs, which come the newest first.
    ///
    /// Stores share it. `has_text` says whether the text is in a run; it is asked only where the
    /// filter has one, and of runs for which all else holds.
    ///
    /// # Errors
    ///
    /// The first of those that the runs and `has_text` come with.
    pub fn collect<E>(
        filter: &Filter,
        newest_first: impl IntoIterator<Item = Result<RunSummary, E>>,
        mut has_text: impl FnMut(&RunSummary, &TextSearch) -> Result<bool, E>,
    ) -> Result<Self, E> {
        let (start, text, limit) = (Instant::now(), filter.text_search(), filter.limit.max(1));
        let mut page = Self::default();
        let mut looked_at: Option<Cursor> = None;
        for run in newest_first {
            if let Some(last) = looked_at.filter(|_| start.elapsed() >= filter.within) {
                (page.next, page.stopped_at) = (Some(last), Some(last.t0));
                break;
            }
            let run = run?;
            let cursor = run.cursor();
            if filter.after.is_some_and(|after| cursor >= after) {
                continue; // of a page before
            }
            if filter.matches(&run) {
                if page.runs.len() >= limit {
                    page.next = looked_at;
                    break;
                }
                if text.as_ref().map_or(Ok(true), |text| has_text(&run, text))? {
                    page.runs.push(run);
                }
            }
            looked_at = Some(cursor);
        }
        Ok(page)
    }
}

/// The place of a run among all runs: later ones are greater, and no two are equal.
///
/// It prints as, and parses from, 49 characters.
///
/// # Examples
///
/// ```
/// use timbal_core::{Cursor, RunId, Timestamp};
///
/// let cursor = Cursor::new(Timestamp::from_millis(1), RunId::from_u128(7).unwrap());
/// assert_eq!(cursor.to_string().parse::<Cursor>()?, cursor);
/// # Ok::<(), timbal_core::ParseCursorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    t0: Timestamp,
    run_id: RunId,
}

impl Cursor {
    /// The place of this run, which started then.
    pub fn new(t0: Timestamp, run_id: RunId) -> Self {
        Self { t0, run_id }
    }

    /// When the run started.
    pub fn t0(self) -> Timestamp {
        self.t0
    }

    /// The run.
    pub fn run_id(self) -> RunId {
        self.run_id
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.t0.as_nanos(), self.run_id)
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseCursorError;

impl fmt::Display for ParseCursorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a cursor: 16 hex digits, `-` and a run id")
    }
}

impl std::error::Error for ParseCursorError {}

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        let (t0, run_id) = text.split_once('-').ok_or(ParseCursorError)?;
        let is_hex = t0.len() == 16 && t0.bytes().all(|byte| byte.is_ascii_hexdigit());
        let t0 = is_hex.then(|| u64::from_str_radix(t0, 16).ok()).flatten();
        let run_id = run_id.parse().map_err(|_| ParseCursorError)?;
        Ok(Self::new(Timestamp::from_nanos(t0.ok_or(ParseCursorError)?), run_id))
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
