//! `OpenCall`: a call from its start to its end.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::capture::Captured;
use crate::ledger::Left;
use crate::notes::Notes;
use crate::path::{Above, Path};
use crate::reader::{Reader, Readers};
use crate::record::{Outcome, Record};
use crate::run::Run;
use crate::shard::Place;
use crate::{CallId, Definition, Payload, StartEvent, Timestamp};

/// A call that has started. Its handle and the calls that it made share it.
///
/// It counts, and knows whose it is. What is said about it stands in its record, in the ledger: it
/// is entered there with its input, first of all that its body does.
pub(crate) struct OpenCall {
    /// `None` while its handle is its only owner and it has a parent: that one, which is shared,
    /// has it too.
    run: Option<Arc<Run>>,
    pub(crate) parent: Option<Arc<OpenCall>>,
    definition: &'static Definition,
    /// The name, where it is not the definition's.
    name: Option<Arc<String>>,
    pub(crate) id: CallId,
    seq: u64,
    pub(crate) t0: Timestamp,
    pub(crate) readers: Option<Arc<Readers>>,
    /// Where its record stands, as bits, or [`NOWHERE`].
    place: AtomicU64,
    /// What is above the calls that this one makes.
    below: OnceLock<Arc<Above>>,
    /// Since the start, plus one: zero says that there was none.
    first_chunk_ns: AtomicU64,
    chunks: AtomicU32,
}

/// What a call comes from.
pub(crate) enum Parent {
    /// From no call: it is the first of a run.
    None(Arc<Run>),
    /// From this one.
    Call(Arc<OpenCall>),
}

fn run_of<'a>(run: &'a Option<Arc<Run>>, parent: &'a Option<Arc<OpenCall>>) -> &'a Run {
    let shared = || parent.as_deref().and_then(|parent| parent.run.as_deref());
    run.as_deref().or_else(shared).expect("a call has a run, or a shared parent")
}

const NOWHERE: u64 = u64::MAX;

impl OpenCall {
    /// A call that starts now.
    #[inline]
    pub(crate) fn start(
        from: Parent,
        (definition, name): (&'static Definition, Option<Arc<String>>),
        readers: Option<Arc<Readers>>,
    ) -> Self {
        let (run, parent) = match from {
            Parent::None(run) => (Some(run), None),
            Parent::Call(parent) => (None, Some(parent)),
        };
        let of = run_of(&run, &parent);
        let (id, seq) = of.next_call();
        let t0 = of.now();
        Self {
            t0,
            run,
            parent,
            definition,
            name,
            id,
            seq,
            readers,
            place: AtomicU64::new(NOWHERE),
            below: OnceLock::new(),
            first_chunk_ns: AtomicU64::new(0),
            chunks: AtomicU32::new(0),
        }
    }

    /// The same call, for other owners than its handle: these find it entered.
    pub(crate) fn into_shared(mut self) -> Self {
        self.entered();
        if let (None, Some(parent)) = (&self.run, &self.parent) {
            self.run = parent.run.clone();
        }
        self
    }

    #[inline]
    pub(crate) fn run(&self) -> &Run {
        run_of(&self.run, &self.parent)
    }

    pub(crate) fn path(&self) -> Path {
        let above = self.above().cloned();
        Path { definition: self.definition, name: self.name.clone(), above }
    }

    /// What is above it.
    pub(crate) fn above(&self) -> Option<&Arc<Above>> {
        match &self.parent {
            Some(parent) => Some(parent.below.get_or_init(|| Arc::new(parent.below()))),
            None => self.run().above.as_ref(),
        }
    }

    fn below(&self) -> Above {
        let parent_run_id = self.above().and_then(|above| above.parent_run_id);
        Above { parent_run_id, caller: Some(self.id), path: Some(self.path()) }
    }

    /// The reader of this very call.
    pub(crate) fn own_reader(&self) -> Option<&Reader> {
        let above = self.parent.as_ref().and_then(|parent| parent.readers.as_ref());
        self.readers.as_ref().and_then(|readers| Readers::own(readers, above))
    }

    /// Enters the call in the ledger. Only the thread that starts it does this, and once.
    pub(crate) fn enter(&self, input: Option<Captured>) -> Place {
        let run = self.run();
        let place = run.ledger().enter(self.id, |sheet| {
            let record = sheet.insert(Record {
                run_id: run.id,
                path: self.path(),
                id: self.id,
                seq: self.seq,
                t0: self.t0,
                t1: self.t0,
                busy_ns: 0,
                first_chunk_ns: 0,
                polls: 0,
                calls: 0,
                chunks: 0,
                input: Payload::null(),
                output: Payload::null(),
                outcome: Outcome::Open,
                notes: None,
            });
            if let Some(input) = input {
                input.put(&mut record.input);
            }
        });
        self.place.store(place.to_bits(), Ordering::Relaxed);
        place
    }

    /// Where it stands, entered now if it was not before.
    fn entered(&self) -> Place {
        self.place().unwrap_or_else(|| self.enter(None))
    }

    /// The call's input, from the head of its body.
    pub(crate) fn set_input(&self, input: Option<Captured>) {
        let Some(place) = self.place() else {
            self.enter(input);
            return;
        };
        if let Some(input) = input {
            self.run().ledger().note(place, |record| input.put(&mut record.input));
        }
    }

    /// Says something about this call, or the nearest above that is still open. If there is none,
    /// it was said too late, which is counted.
    pub(crate) fn note(&self, mut say: impl FnMut(&mut Notes)) {
        let line = std::iter::successors(Some(self), |call| call.parent.as_deref());
        for call in line {
            let ledger = call.run().ledger();
            let said = ledger.note(call.entered(), |r| say(r.notes.get_or_insert_default()));
            if said.is_some() {
                return;
            }
        }
        if let Some(intake) = &self.run().intake {
            intake.late.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a chunk.
    pub(crate) fn count_chunk(&self) {
        if self.chunks.fetch_add(1, Ordering::Relaxed) == 0 {
            let elapsed = self.run().now().nanos_since(self.t0);
            self.first_chunk_ns.store(elapsed + 1, Ordering::Relaxed);
        }
    }

    /// Writes what was counted.
    #[inline]
    pub(crate) fn write_counts(&self, record: &mut Record) {
        record.first_chunk_ns = self.first_chunk_ns.load(Ordering::Relaxed);
        record.chunks = self.chunks.load(Ordering::Relaxed);
    }

    /// Ends the call, and adds what it cost to the call above. Its handle does this once, and says
    /// in its record what it knows of it.
    #[inline]
    pub(crate) fn end(
        &self,
        wants_copy: bool,
        say: impl FnOnce(&mut Record),
    ) -> Option<Box<Record>> {
        let above = self.parent.as_deref().and_then(Self::place);
        let ledger = self.run().ledger();
        let Left { usage, copy } = ledger.end(self.entered(), above, wants_copy, say);
        if let (Some(usage), Some(parent)) = (usage, &self.parent) {
            parent.note(|notes| notes.add_usage_below(&usage));
        }
        copy
    }

    pub(crate) fn start_event(&self) -> StartEvent {
        self.path().start_event(self.run().id, self.id)
    }

    fn place(&self) -> Option<Place> {
        let bits = self.place.load(Ordering::Relaxed);
        (bits != NOWHERE).then(|| Place::from_bits(bits, self.id))
    }
}
