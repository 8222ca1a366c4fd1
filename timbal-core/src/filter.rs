//! `Filter`: which runs are asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::search::TextSearch;
use crate::{Cursor, RunId, RunSummary, StatusCode, Timestamp};

/// Which runs are asked for: those for which all holds that is said here, the newest first.
///
/// # Examples
///
/// The last ten runs of `index` that failed in the last hour:
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use timbal_core::{Filter, StatusCode, Timbal};
///
/// let filter = Filter::new()
///     .path("index")
///     .status(StatusCode::Error)
///     .since(SystemTime::now() - Duration::from_secs(3_600))
///     .limit(10);
/// let timbal = Timbal::builder().build();
/// let page = futures::executor::block_on(timbal.runs(&filter))?;
/// assert_eq!((page.runs.len(), page.next), (0, None));
/// # Ok::<(), timbal_core::StoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Filter {
    /// The path of the run's first call: its name.
    pub path: Option<String>,
    /// How the run's first call ended.
    pub status: Option<StatusCode>,
    /// The run started at this time or later.
    pub since: Option<Timestamp>,
    /// The run started before this time.
    pub until: Option<Timestamp>,
    /// An input, output or error of one of the run's calls has this text in it.
    pub text: Option<String>,
    /// The run used at least so much of each of these.
    pub usage: BTreeMap<String, u64>,
    /// The run goes on from this one.
    pub parent_run: Option<RunId>,
    /// How many runs a page has at most; a page of none has one.
    pub limit: usize,
    /// The page begins behind this run.
    pub after: Option<Cursor>,
    /// How long it may take to look through the runs, as for a text: then the page ends, and says
    /// where. At least one run is looked at.
    pub within: Duration,
}

impl Filter {
    /// All runs, in pages of 100, each found within five seconds.
    pub fn new() -> Self {
        Self {
            path: None,
            status: None,
            since: None,
            until: None,
            text: None,
            usage: BTreeMap::new(),
            parent_run: None,
            limit: 100,
            after: None,
            within: Duration::from_secs(5),
        }
    }

    /// Runs whose first call has this path: its name.
    #[must_use]
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// Runs whose first call ended so.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Runs that started at this time or later.
    #[must_use]
    pub fn since(self, since: impl Into<Timestamp>) -> Self {
        Self { since: Some(since.into()), ..self }
    }

    /// Runs that started before this time.
    #[must_use]
    pub fn until(self, until: impl Into<Timestamp>) -> Self {
        Self { until: Some(until.into()), ..self }
    }

    /// Runs with this text in the JSON of an input or output, or in an error of any of their calls.
    /// The case of ASCII letters does not matter.
    ///
    /// No index helps with it: every run of the time range is looked through, the newest first, and
    /// [`Page::stopped_at`](crate::Page::stopped_at) says how far that came.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..self }
    }

    /// Runs that used at least so much of this, all their calls together. Said more than once, all
    /// of it holds.
    #[must_use]
    pub fn usage(mut self, key: impl Into<String>, at_least: u64) -> Self {
        self.usage.insert(key.into(), at_least);
        self
    }

    /// Runs that go on from this one.
    #[must_use]
    pub fn parent_run(self, parent: RunId) -> Self {
        Self { parent_run: Some(parent), ..self }
    }

    /// So many runs a page.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The page behind this run: [`Page::next`](crate::Page::next) of the page before.
    #[must_use]
    pub fn after(self, cursor: Cursor) -> Self {
        Self { after: Some(cursor), ..self }
    }

    /// A page that is found within this time.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    /// Whether this run is asked for, as far as its summary tells: all but the text.
    pub fn matches(&self, run: &RunSummary) -> bool {
        let used = |key: &str| run.usage.get(key).copied().unwrap_or(0);
        self.path.as_ref().is_none_or(|path| *path == run.path)
            && self.status.is_none_or(|status| status == run.status.code)
            && self.since.is_none_or(|since| run.t0 >= since)
            && self.until.is_none_or(|until| run.t0 < until)
            && self.usage.iter().all(|(key, at_least)| used(key) >= *at_least)
            && self.parent_run.is_none_or(|parent| run.parent_run_id == Some(parent))
            && self.after.is_none_or(|after| run.cursor() < after)
    }

    /// What looks for the text, if there is one to look for.
    pub fn text_search(&self) -> Option<TextSearch> {
        self.text.as_deref().map(TextSearch::new)
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::new()
    }
}
