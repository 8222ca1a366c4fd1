//! What a recorder is asked about earlier runs.

use crate::query::Answer;
use crate::{Filter, Page, Prune, Pruned, Stats, StatsQuery, Timbal};

/// Earlier runs, as the first store keeps them. Each of these sees every call that had ended when it
/// was asked, and fails as [`trace`](Self::trace) does, or if the store does not answer such
/// questions.
impl Timbal {
    /// The runs that a filter asks for, the newest first: a page of them.
    ///
    /// # Errors
    ///
    /// If the store failed, or did not write what was there in time.
    pub fn runs(&self, filter: &Filter) -> Answer<Page> {
        let filter = filter.clone();
        self.read(move |store| store.runs(&filter))
    }

    /// How often paths were called, how long that took, and what it used.
    ///
    /// # Errors
    ///
    /// If the store failed, or did not write what was there in time.
    pub fn stats(&self, query: &StatsQuery) -> Answer<Stats> {
        let query = query.clone();
        self.read(move |store| store.stats(&query))
    }

    /// The paths of all calls that are kept, each once, in order.
    ///
    /// # Errors
    ///
    /// If the store failed, or did not write what was there in time.
    pub fn paths(&self) -> Answer<Vec<String>> {
        self.read(|store| store.paths())
    }

    /// Lets go of runs that are too old, or too many.
    ///
    /// # Errors
    ///
    /// If the store failed, or did not write what was there in time. Some of the runs may be gone.
    pub fn prune(&self, prune: &Prune) -> Answer<Pruned> {
        let prune = prune.clone();
        self.read(move |store| store.prune(&prune))
    }
}
