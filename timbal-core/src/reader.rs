//! `Readers`: those who read one call and the calls below it.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use crate::record::Record;
use crate::sync::{AtomicUsize, Mutex, MutexGuard, Ordering};
use crate::{ChunkEvent, Event, StartEvent};

/// How many events may wait for a reader before the calls wait for it.
pub(crate) const DEFAULT_PLACES: usize = 1024;

/// Who reads a call: the reader of the call itself, and the readers of the calls above it.
pub(crate) struct Readers {
    own: Reader,
    above: Option<Arc<Readers>>,
    /// Whether one of them takes events.
    take_events: bool,
}

/// Whether one of these takes events.
#[inline]
pub(crate) fn take_events(readers: Option<&Readers>) -> bool {
    readers.is_some_and(|readers| readers.take_events)
}

/// One who reads a call.
#[derive(Clone)]
pub(crate) enum Reader {
    /// Takes events as they happen.
    Events(Arc<Inbox>),
    /// Takes the spans when all is over.
    Spans(Arc<Spans>),
}

impl Readers {
    pub(crate) fn new(own: Reader, above: Option<Arc<Self>>) -> Arc<Self> {
        let take_events = matches!(own, Reader::Events(_)) || take_events(above.as_deref());
        Arc::new(Self { own, above, take_events })
    }

    /// The reader of this very call, if these are not just the readers of the call above.
    pub(crate) fn own<'a>(readers: &'a Arc<Self>, above: Option<&Arc<Self>>) -> Option<&'a Reader> {
        let inherited = above.is_some_and(|above| Arc::ptr_eq(readers, above));
        (!inherited).then_some(&readers.own)
    }

    /// The inbox that takes events, if it is the first's and there is no other.
    pub(crate) fn only_inbox(&self) -> Option<&Inbox> {
        match &self.own {
            Reader::Events(inbox) if !take_events(self.above.as_deref()) => Some(inbox),
            _ => None,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Reader> {
        std::iter::successors(Some(self), |readers| readers.above.as_deref()).map(|r| &r.own)
    }

    /// Whether all of them have a place for one more event.
    pub(crate) fn poll_place(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut next = Some(self);
        while let Some(readers) = next {
            if let Reader::Events(inbox) = &readers.own {
                ready!(inbox.poll_place(cx));
            }
            next = readers.above.as_deref();
        }
        Poll::Ready(())
    }

    /// The inboxes that take events.
    pub(crate) fn inboxes(&self) -> impl Iterator<Item = &Arc<Inbox>> {
        self.iter().filter_map(|reader| match reader {
            Reader::Events(inbox) => Some(inbox),
            Reader::Spans(_) => None,
        })
    }
}

/// The ended calls of one call, as long as somebody is there to ask for its trace.
pub(crate) struct Spans(Mutex<Option<Vec<Record>>>);

impl Spans {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(Vec::new()))))
    }

    pub(crate) fn push(&self, record: Record) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(records) = &mut *records {
            records.push(record);
        }
    }

    /// What is here; from now on nothing enters.
    pub(crate) fn take(&self) -> Vec<Record> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        records.unwrap_or_default()
    }
}

/// The events that wait for one reader. An Output always enters; what else is said waits for a
/// place. When the reader is gone, or its own call has ended, nothing enters and nobody waits.
pub(crate) struct Inbox {
    places: usize,
    /// How many events wait. It is written with the lock held and read without it, so that nobody
    /// takes the lock only to see that there is a place, or no event.
    waiting: AtomicUsize,
    state: Mutex<State>,
}

/// An event that waits. It has the size of a chunk, as nearly all are chunks: an Output has thrice
/// that, and events are moved some times on their way.
pub(crate) enum Letter {
    Start(StartEvent),
    Chunk(ChunkEvent),
    Rest(Box<Event>),
}

#[derive(Default)]
struct State {
    letters: VecDeque<Letter>,
    closed: bool,
    reader: Option<Waker>,
    waiting: Vec<Waker>,
}

impl Inbox {
    pub(crate) fn new(places: usize) -> Self {
        Self { places, waiting: AtomicUsize::new(0), state: Mutex::default() }
    }

    /// Whether there is a place; if not, the task is woken when there may be one.
    ///
    /// Threads that ask at the same time may be given the same place, so that there can be as many
    /// events too many as there are such threads.
    #[inline]
    pub(crate) fn poll_place(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.seems_to_have_place() { Poll::Ready(()) } else { self.wait_for_place(cx) }
    }

    #[cold]
    fn wait_for_place(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.has_place(self.places) {
            return Poll::Ready(());
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Whether there is a place now.
    pub(crate) fn has_place(&self) -> bool {
        self.seems_to_have_place() || self.lock().has_place(self.places)
    }

    /// Whether the reader has taken all events, but for what another thread has just said.
    #[inline]
    pub(crate) fn seems_empty(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    #[inline]
    fn seems_to_have_place(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < self.places
    }

    #[inline]
    pub(crate) fn push(&self, letter: Letter) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.letters.push_back(letter);
        self.waiting.store(state.letters.len(), Ordering::Relaxed);
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Takes the last event: nothing enters behind it, and nobody waits. These are one, as what other
    /// threads say meanwhile would stand between them.
    pub(crate) fn push_last(&self, letter: Letter) {
        let mut state = self.lock();
        if !state.closed {
            state.letters.push_back(letter);
            self.waiting.store(state.letters.len(), Ordering::Relaxed);
        }
        Self::close_and_wake(state);
    }

    /// The next event, if there is one. One that another thread has just said may be missed:
    /// [`poll_next`](Self::poll_next) does not miss it.
    #[inline]
    pub(crate) fn next(&self) -> Option<Letter> {
        if self.seems_empty() {
            return None;
        }
        self.take(self.lock())
    }

    /// The next event; if there is none, the reader's task is woken when there is.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Letter> {
        let mut state = self.lock();
        if state.letters.is_empty() {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.take(state).map_or(Poll::Pending, Poll::Ready)
    }

    fn take(&self, mut state: MutexGuard<'_, State>) -> Option<Letter> {
        let letter = state.letters.pop_front();
        let left = state.letters.len();
        self.waiting.store(left, Ordering::Relaxed);
        // All at once, and only when half of the places are free: a task is not woken an event.
        if left <= self.places / 2 && !state.waiting.is_empty() {
            Self::wake_waiting(state);
        }
        letter
    }

    #[cold]
    fn wake_waiting(mut state: MutexGuard<'_, State>) {
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The reader is gone: nobody takes what is here.
    pub(crate) fn abandon(&self) {
        self.close();
        let mut state = self.lock();
        let letters = std::mem::take(&mut state.letters);
        self.waiting.store(0, Ordering::Relaxed);
        drop(state);
        drop(letters); // without the lock
    }

    /// Nothing enters from now on, and nobody waits. What is here can still be taken.
    pub(crate) fn close(&self) {
        Self::close_and_wake(self.lock());
    }

    fn close_and_wake(mut state: MutexGuard<'_, State>) {
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        let reader = state.reader.take();
        drop(state);
        waiting.into_iter().chain(reader).for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_place(&self, places: usize) -> bool {
        self.closed || self.letters.len() < places
    }
}

impl Letter {
    #[inline]
    pub(crate) fn new(event: Event) -> Self {
        match event {
            Event::Start(start) => Self::Start(start),
            Event::Chunk(chunk) => Self::Chunk(chunk),
            rest => Self::Rest(Box::new(rest)),
        }
    }

    #[inline]
    pub(crate) fn open(self) -> Event {
        match self {
            Self::Start(start) => Event::Start(start),
            Self::Chunk(chunk) => Event::Chunk(chunk),
            Self::Rest(rest) => *rest,
        }
    }
}
