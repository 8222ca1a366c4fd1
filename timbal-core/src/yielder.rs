//! `Yielder`: how the body of a generator hands its items to whoever polls it.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// The end of a generator's channel that its body holds; `yield_!` gives items to it.
pub struct Yielder<T>(Arc<Channel<T>>);

/// The future of `yield_!`: it is done when its item was taken and the next one is asked for.
///
/// # Cancellation
///
/// Dropped before its item was taken, it has yielded nothing.
#[must_use = "an item is yielded when this is awaited"]
pub struct Yield<'a, T> {
    channel: &'a Channel<T>,
    /// Until it is offered.
    value: Option<T>,
    /// From then on.
    number: Option<u64>,
}

/// What a generator and its body have in common. Each item waits for its turn with the `yield_!` that
/// offers it, so there are never more of them than branches of the body that run at once.
pub(crate) struct Channel<T> {
    /// Whether the body may wait for more than its reader.
    is_async: bool,
    /// The thread that polls the body now; zero if none does.
    polled_by: AtomicUsize,
    /// All items of lower numbers were taken or withdrawn.
    taken: AtomicU64,
    offers: Mutex<Offers<T>>,
}

/// The items that wait, in the order in which they were offered.
struct Offers<T> {
    next_number: u64,
    first: Option<Offer<T>>,
    others: VecDeque<Offer<T>>,
    /// That of the task that polls the body.
    waker: Option<Waker>,
    /// The `yield_!` whose item was taken, if something in the body asks to be told when to poll it.
    done: Option<Waker>,
}

struct Offer<T> {
    number: u64,
    value: T,
    waker: Option<Waker>,
}

/// The body is polled, until this is dropped.
pub(crate) struct Polled<'a>(&'a AtomicUsize);

/// Gives the function a yielder of its own, for an `async move` block that takes it along.
pub fn sharing<T, R>(yielder: &Yielder<T>, make: impl FnOnce(Yielder<T>) -> R) -> R {
    make(Yielder(Arc::clone(&yielder.0)))
}

impl<T> Yielder<T> {
    pub(crate) fn new(channel: &Arc<Channel<T>>) -> Self {
        Self(Arc::clone(channel))
    }

    /// Yields this item.
    ///
    /// # Panics
    ///
    /// When it is polled by anybody but the generator, who alone can take the item.
    #[inline]
    pub fn put(&self, value: T) -> Yield<'_, T> {
        Yield { channel: &self.0, value: Some(value), number: None }
    }
}

impl<T> Unpin for Yield<'_, T> {}

impl<T> Future for Yield<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let channel = self.channel;
        if self.number.is_some_and(|number| channel.is_taken(number)) {
            return Poll::Ready(());
        }
        channel.expect_reader(cx.waker());
        match (self.value.take(), self.number) {
            (Some(value), _) => self.number = Some(channel.offer(value, cx.waker())),
            (None, Some(number)) => channel.wait(number, cx.waker()),
            (None, None) => unreachable!("it has a value until it has a number"),
        }
        Poll::Pending
    }
}

impl<T> Drop for Yield<'_, T> {
    fn drop(&mut self) {
        if let Some(number) = self.number
            && !self.channel.is_taken(number)
        {
            let withdrawn = self.channel.offers().withdraw(number);
            drop(withdrawn); // without the lock, as it is the user's
        }
    }
}

impl<T> Channel<T> {
    pub(crate) fn new(is_async: bool) -> Arc<Self> {
        let (next_number, others) = (0, VecDeque::new());
        let offers = Offers { next_number, first: None, others, waker: None, done: None };
        let (polled_by, taken) = (AtomicUsize::new(0), AtomicU64::new(0));
        Arc::new(Self { is_async, polled_by, taken, offers: Mutex::new(offers) })
    }

    /// The next item is asked for: the body is polled here and now, with this waker.
    pub(crate) fn poll(&self, waker: &Waker) -> Polled<'_> {
        let done = self.offers().ask(waker);
        if let Some(done) = done {
            done.wake();
        }
        self.polled_by.store(here(), Ordering::Relaxed);
        Polled(&self.polled_by)
    }

    /// The item that was offered first.
    pub(crate) fn take(&self) -> Option<T> {
        let mut offers = self.offers();
        let offer = offers.pop()?;
        offers.done = offer.waker;
        self.taken.store(offer.number + 1, Ordering::Relaxed);
        Some(offer.value)
    }

    fn is_taken(&self, number: u64) -> bool {
        number < self.taken.load(Ordering::Relaxed)
    }

    fn offers(&self) -> MutexGuard<'_, Offers<T>> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An item that nobody will take must not wait.
    fn expect_reader(&self, waker: &Waker) {
        // A thread reads what it wrote itself, if it is the one.
        if self.polled_by.load(Ordering::Relaxed) != here() {
            panic!(
                "nobody can receive what this `yield_!` yields: its generator has ended, or runs \
                 elsewhere; of what other tasks find, yield in the generator what they send to it"
            );
        }
        if !self.is_async && waker.data() != no_task().data() {
            panic!(
                "nobody can receive what this `yield_!` yields: a `fn` that blocks on it never asks \
                 for the next item; yield in the generator itself, or make that an `async fn`"
            );
        }
    }

    fn offer(&self, value: T, waker: &Waker) -> u64 {
        let mut offers = self.offers();
        let number = offers.next_number;
        offers.next_number += 1;
        let waker = offers.other_waker(waker);
        offers.push(Offer { number, value, waker });
        number
    }

    /// It is not its turn yet.
    fn wait(&self, number: u64, waker: &Waker) {
        self.offers().wait(number, waker);
    }
}

impl<T> Offers<T> {
    fn ask(&mut self, waker: &Waker) -> Option<Waker> {
        match &mut self.waker {
            Some(own) => own.clone_from(waker),
            None => self.waker = Some(waker.clone()),
        }
        self.done.take()
    }

    /// This waker, if it is not the one with which the body is polled: that one wakes all of the body,
    /// and who asks for the next item does so anyway.
    fn other_waker(&self, waker: &Waker) -> Option<Waker> {
        let is_own = self.waker.as_ref().is_some_and(|own| own.will_wake(waker));
        (!is_own).then(|| waker.clone())
    }

    fn wait(&mut self, number: u64, waker: &Waker) {
        let waker = self.other_waker(waker);
        let mut waiting = self.first.iter_mut().chain(&mut self.others);
        if let Some(offer) = waiting.find(|offer| offer.number == number) {
            offer.waker = waker;
        }
    }

    fn push(&mut self, offer: Offer<T>) {
        match self.first {
            None => self.first = Some(offer),
            Some(_) => self.others.push_back(offer),
        }
    }

    fn pop(&mut self) -> Option<Offer<T>> {
        let next = self.others.pop_front();
        std::mem::replace(&mut self.first, next)
    }

    fn withdraw(&mut self, number: u64) -> Option<Offer<T>> {
        if self.first.as_ref().is_some_and(|first| first.number == number) {
            return self.pop();
        }
        let at = self.others.iter().position(|offer| offer.number == number)?;
        self.others.remove(at)
    }
}

impl Drop for Polled<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// The waker of a body that is polled by an iterator: there is nobody to wake. Other than the one of
/// the standard library it can be told from all others.
pub(crate) fn no_task() -> &'static Waker {
    struct NoTask;
    impl Wake for NoTask {
        fn wake(self: Arc<Self>) {}
    }
    static NO_TASK: LazyLock<Waker> = LazyLock::new(|| Waker::from(Arc::new(NoTask)));
    &NO_TASK
}

/// What tells this thread from all others that live.
fn here() -> usize {
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

impl<T> std::fmt::Debug for Yielder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Yielder").finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for Yield<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Yield").field("offered", &self.number.is_some()).finish_non_exhaustive()
    }
}
