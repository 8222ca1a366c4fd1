//! `Outlets`: the stores and exporters of a recorder, each on its own.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::commit::Commit;
use crate::exporter::Exporter;
use crate::faults::Faults;
use crate::installed;
use crate::outlet::{Counts, Outlet, Target};
use crate::store::{Batch, Store, StoreError};

/// The stores and exporters of a recorder. All get the same letters, in the same order.
///
/// A single one is the writer's own business. Of several, each has a queue and a thread of its own,
/// so that none waits for another that is slow, fails, or never answers.
pub(crate) struct Outlets {
    /// The first is read from.
    stores: Vec<Arc<Outlet>>,
    exporters: Vec<Arc<Outlet>>,
}

/// What the writer has for the outlets.
#[derive(Clone)]
pub(crate) enum Letter {
    /// The spans of calls that have ended.
    Ended(Arc<Batch>),
    /// The spans of calls that have not, for the stores.
    Open(Arc<Batch>),
    /// Spans that there was no place for.
    Gap,
    /// Who wants to know whether all before is in the stores.
    Commits(Arc<Vec<Arc<Commit>>>),
}

impl Outlets {
    /// There is at least one store.
    pub(crate) fn start(
        stores: Vec<Box<dyn Store>>,
        exporters: Vec<Box<dyn Exporter>>,
        faults: &Arc<Faults>,
    ) -> Self {
        let outlet = |target| Arc::new(Outlet::new(target, Arc::clone(faults)));
        let outlets = Self {
            stores: stores.into_iter().map(Target::Store).map(outlet).collect(),
            exporters: exporters.into_iter().map(Target::Exporter).map(outlet).collect(),
        };
        if outlets.only().is_none() {
            outlets.all().for_each(|outlet| start_thread(outlet, faults));
        }
        outlets
    }

    /// The store that is read from.
    pub(crate) fn first(&self) -> &dyn Store {
        self.stores[0].store().expect("it is one")
    }

    /// Gives a letter to all.
    pub(crate) fn give(&self, letter: &Letter) {
        match self.only() {
            Some(outlet) => outlet.take(letter),
            None => self.all().for_each(|outlet| outlet.leave(letter.clone())),
        }
    }

    /// Waits until the first store has done with what was given until now; `false` if it has not.
    pub(crate) fn wait_for_first(&self, deadline: Instant) -> bool {
        self.stores[0].wait(deadline)
    }

    /// The same of all outlets.
    pub(crate) fn wait_for_all(&self, deadline: Instant) -> bool {
        self.all().all(|outlet| outlet.wait(deadline))
    }

    /// What fails is tried at once, and more often: somebody waits for it.
    pub(crate) fn hurry(&self) {
        self.all().for_each(|outlet| outlet.hurry());
    }

    /// What became of the calls in that store which has written least, and what the exporters sent
    /// and did not.
    pub(crate) fn count(&self) -> (Counts, Counts) {
        let stores = self.stores.iter().map(|store| store.counts());
        let least = stores.min_by_key(|counts| counts.written).expect("there is at least one");
        let mut exported = Counts::default();
        for counts in self.exporters.iter().map(|exporter| exporter.counts()) {
            exported.written += counts.written;
            exported.lost += counts.lost;
        }
        (least, exported)
    }

    /// The recorder goes: what fails is not tried for long.
    pub(crate) fn close(&self) {
        self.all().for_each(|outlet| outlet.close());
    }

    /// No letters will come.
    pub(crate) fn end(&self) {
        self.all().for_each(|outlet| outlet.end());
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Outlet>> {
        self.stores.iter().chain(&self.exporters)
    }

    fn only(&self) -> Option<&Outlet> {
        let mut all = self.all();
        all.next().filter(|_| all.next().is_none()).map(|outlet| &**outlet)
    }
}

/// Where no thread is to be had, what the outlet is given is lost, and counted.
fn start_thread(outlet: &Arc<Outlet>, faults: &Faults) {
    let thread = thread::Builder::new().name("timbal-outlet".to_owned());
    let own = Arc::clone(outlet);
    let run = move || {
        installed::keep_out();
        own.run();
    };
    if let Err(error) = thread.spawn(run) {
        faults.note(StoreError::failed(error), true);
        outlet.end();
    }
}

impl Letter {
    /// How many ended calls there are in it.
    pub(crate) fn ended(&self) -> u64 {
        match self {
            Self::Ended(batch) => batch.len() as u64,
            Self::Open(_) | Self::Gap | Self::Commits(_) => 0,
        }
    }

    /// Nobody will deal with it.
    pub(crate) fn fail(&self) {
        if let Self::Commits(commits) = self {
            commits.iter().for_each(|commit| commit.fail());
        }
    }

    pub(crate) fn calls(&self) -> usize {
        match self {
            Self::Ended(batch) | Self::Open(batch) => batch.len(),
            Self::Gap | Self::Commits(_) => 0,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Ended(batch) | Self::Open(batch) => batch.weight(),
            Self::Gap | Self::Commits(_) => 0,
        }
    }
}
