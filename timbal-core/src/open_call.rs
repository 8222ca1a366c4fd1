//! `OpenCall`: a call from its start to its end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::capture::{self, Captured};
use crate::definition::Defined;
use crate::ledger::Left;
use crate::path::{self, Above, Path};
use crate::reader::{Reader, Readers};
use crate::record::Record;
use crate::run::Run;
use crate::shard::Place;
use crate::{CallId, StartEvent, Timestamp, current};

mod said;

/// A call that has started. Its handle and the calls that it made share it.
///
/// It counts, and knows whose it is. What is said about it stands in its record, in the ledger: it
/// is entered there with its input, first of all that its body does.
pub(crate) struct OpenCall {
    /// `None` while its handle is its only owner and it has a parent: that one, which is shared,
    /// has it too.
    pub(crate) run: Option<Arc<Run>>,
    pub(crate) parent: Option<Arc<OpenCall>>,
    definition: &'static Defined,
    /// The name, where it is not the definition's.
    pub(crate) name: Option<Arc<String>>,
    pub(crate) id: CallId,
    seq: u64,
    pub(crate) t0: Timestamp,
    pub(crate) readers: Option<Arc<Readers>>,
    /// Where its record stands, as bits, or [`NOWHERE`].
    place: AtomicU64,
    /// What is above the calls that this one makes; `None` while its handle is its only owner.
    below: Option<Arc<Above>>,
    /// Since the start, plus one: zero says that there was none.
    first_chunk_ns: AtomicU64,
    chunks: AtomicU64,
    /// Whether what goes in and comes out is to be captured: somebody gets to see it.
    pub(crate) is_seen: bool,
    /// Whether there is a reader or a subscriber: where there is none, none comes.
    pub(crate) may_be_heard: bool,
    /// Whether nothing more is said of it but its Output.
    is_over: AtomicBool,
    /// Held while a chunk is told, as its Output is the last that is heard of it.
    speech: Mutex<()>,
}

const NOWHERE: u64 = u64::MAX;

impl OpenCall {
    /// Starts a call of a run where none stands, as the one of this number. Then it is to be said what
    /// it comes from, and who reads it.
    ///
    /// It is written field by field: a whole call would be made on the stack, and copied from there
    /// before it is stored, for which the processor has to wait.
    #[inline(always)] // then what most calls do not have is known to be absent
    pub(crate) fn start(
        &mut self,
        of: &'static Defined,
        (of_run, number, now): (&Run, u64, Timestamp),
        (is_read, is_kept): (bool, bool),
    ) {
        // All of them are named, so that none is forgotten.
        #[rustfmt::skip]
        let Self {
            run, parent, definition, name, id, seq, t0, readers, place, below,
            first_chunk_ns, chunks, is_seen, may_be_heard, is_over, speech: _,
        } = self;
        debug_assert!(run.is_none() && parent.is_none(), "what has ended has let go of them");
        debug_assert!(name.is_none() && readers.is_none(), "what has ended has let go of them");
        debug_assert!(below.is_none(), "a call of its handle alone has made none");
        *definition = of;
        (*id, *seq, *t0) = (of_run.new_call_id(number), number, now);
        *is_seen = of_run.is_recorded || is_read || is_kept;
        *may_be_heard = of_run.is_followed || is_read;
        *place.get_mut() = NOWHERE;
        *first_chunk_ns.get_mut() = 0;
        *chunks.get_mut() = 0;
        *is_over.get_mut() = false;
    }

    /// What a call of this runnable is written over.
    #[cold]
    pub(crate) fn blank(definition: &'static Defined) -> Self {
        Self {
            run: None,
            parent: None,
            definition,
            name: None,
            id: CallId::MIN,
            seq: 0,
            t0: Timestamp::default(),
            readers: None,
            place: AtomicU64::new(NOWHERE),
            below: None,
            first_chunk_ns: AtomicU64::new(0),
            chunks: AtomicU64::new(0),
            is_seen: false,
            may_be_heard: false,
            is_over: AtomicBool::new(false),
            speech: Mutex::new(()),
        }
    }

    /// Lets go of what it comes from: it has ended, and only its frame is to be used again.
    #[inline]
    pub(crate) fn let_go(&mut self) {
        if let Some(parent) = self.parent.take() {
            current::give_back(parent);
        }
        if self.run.is_some() || self.readers.is_some() || self.name.is_some() {
            self.let_go_of_more();
        }
    }

    #[inline(never)] // most calls have none of these
    fn let_go_of_more(&mut self) {
        self.run = None;
        self.readers = None;
        self.name = None;
    }

    /// Moves the call to other owners than its handle, which find it entered. What stays behind is to
    /// be written over.
    pub(crate) fn take_shared(&mut self) -> Arc<Self> {
        let place = self.entered();
        let (parent_run_id, caller) = (self.above().and_then(|it| it.parent_run_id), Some(self.id));
        let below = Above { parent_run_id, caller, path: Some(self.path()) };
        let parent = self.parent.take();
        Arc::new(Self {
            run: self.run.take().or_else(|| parent.as_ref()?.run.clone()),
            parent,
            definition: self.definition,
            name: self.name.take(),
            id: self.id,
            seq: self.seq,
            t0: self.t0,
            readers: self.readers.take(),
            place: AtomicU64::new(place.to_bits()),
            below: Some(Arc::new(below)),
            first_chunk_ns: AtomicU64::new(*self.first_chunk_ns.get_mut()),
            chunks: AtomicU64::new(*self.chunks.get_mut()),
            is_seen: self.is_seen,
            may_be_heard: self.may_be_heard,
            is_over: AtomicBool::new(*self.is_over.get_mut()),
            speech: Mutex::new(()),
        })
    }

    #[inline]
    pub(crate) fn run(&self) -> &Run {
        let shared = || self.parent.as_deref().and_then(|parent| parent.run.as_deref());
        self.run.as_deref().or_else(shared).expect("a call has a run, or a shared parent")
    }

    /// The run of a call that this one made, which starts: the run, its number there, and now.
    #[inline]
    pub(crate) fn next(&self) -> (&Run, u64, Timestamp) {
        let run = self.run.as_deref().expect("what has made a call is shared, and has its run");
        (run, run.next_number(), run.now())
    }

    pub(crate) fn path(&self) -> Path {
        let above = self.above().cloned();
        Path { definition: self.definition, name: self.name.clone(), above }
    }

    /// What is above it.
    pub(crate) fn above(&self) -> Option<&Arc<Above>> {
        match &self.parent {
            Some(parent) => parent.below.as_ref(),
            None => self.run().above.as_ref(),
        }
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
            let named = (run.id, self.path(), self.id);
            let record = sheet.write(Record::open(named, self.seq, self.t0));
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
        if let Some(place) = self.place() {
            self.note_input(place, input);
        } else {
            self.enter(input);
        }
    }

    /// The same of a call that was entered before.
    #[cold]
    fn note_input(&self, place: Place, input: Option<Captured>) {
        if let Some(input) = input {
            self.run().ledger().note(place, |record| input.put(&mut record.input));
        }
    }

    /// Whether it is a call of this runnable.
    pub(crate) fn is_of(&self, definition: &'static Defined) -> bool {
        std::ptr::eq(self.definition, definition)
    }

    /// Its runnable.
    #[inline]
    pub(crate) fn definition(&self) -> &'static Defined {
        self.definition
    }

    /// What the attribute says of keys that are masked is not to be told. Only its handle asks for it,
    /// when the call starts.
    #[cold]
    pub(crate) fn mask_metadata(&self) {
        let rules = self.run().rules();
        let keys = self.definition.metadata.iter().map(|(key, _)| *key);
        for key in keys.filter(|key| self.is_seen && rules.masks.matches(key)) {
            let mask = capture::named(rules, key, &());
            self.note(|notes| notes.set_metadata(key.to_owned(), mask.clone()));
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
        let chunks = self.chunks.load(Ordering::Relaxed);
        if chunks != 0 {
            record.first_chunk_ns = self.first_chunk_ns.load(Ordering::Relaxed);
            record.chunks = chunks.try_into().unwrap_or(u32::MAX);
        }
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
        let left = ledger.end(self.entered(), above, wants_copy, say)?;
        self.take_leave(*left)
    }

    #[cold]
    fn take_leave(&self, Left { usage, copy, is_lost }: Left) -> Option<Box<Record>> {
        if is_lost {
            self.run().note_loss();
        }
        if let (Some(usage), Some(parent)) = (usage, &self.parent) {
            parent.note(|notes| notes.add_usage_below(&usage));
        }
        copy
    }

    pub(crate) fn start_event(&self) -> StartEvent {
        let name = self.name.as_deref().map_or(self.definition.name, String::as_str);
        // Its path would be one more owner of all above it.
        path::start_event(name, self.above().map(|above| &**above), self.run().id, self.id)
    }

    fn place(&self) -> Option<Place> {
        let bits = self.place.load(Ordering::Relaxed);
        (bits != NOWHERE).then(|| Place::from_bits(bits, self.id))
    }
}

/// A line of calls, each of which outlived the one above, may be long: they are dropped one after
/// another, not each inside of the one below.
impl Drop for OpenCall {
    #[inline]
    fn drop(&mut self) {
        let mut above = self.parent.take();
        while let Some(call) = above {
            above = Arc::into_inner(call).and_then(|mut call| call.parent.take());
        }
    }
}
