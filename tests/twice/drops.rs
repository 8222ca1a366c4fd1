// When parameters are dropped: a letter each, in order. It is included, so this is no `//!`.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt, stream};

/// Writes its letter when it is dropped.
struct Noted(char, Arc<Mutex<String>>);

impl serde::Serialize for Noted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_char(self.0)
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0);
    }
}

impl Noted {
    fn note(&self, letter: char) {
        self.1.lock().unwrap().push(letter);
    }

    fn beside(&self, letter: char) -> Noted {
        Noted(letter, Arc::clone(&self.1))
    }
}

/// A function of each shape with the same parameters: unused, of all kinds of names, and in patterns.
macro_rules! functions {
    ($($(#[$attribute:meta])* [$($kind:tt)*] $name:ident -> $output:ty: $body:expr $(, $wait:ident)?;)*) => { $(
        $(#[$attribute])*
        #[allow(unused_variables, clippy::let_and_return, reason = "what is not used is dropped too")]
        $($kind)* $name(
            _: Noted,
            _guard: Noted,
            unused: Noted,
            (in_tuple, _): (Noted, Noted),
            [first, .., _last]: [Noted; 3],
            used: Noted,
        ) -> $output {
            let local = used.beside('l');
            used.note('!');
            let make = $body;
            let output = make(used) $(.$wait)?;
            output
        }
    )* };
}

/// Goes on twice before it is done.
async fn pends(noted: &Noted) {
    noted.note('1');
    futures::pending!();
    noted.note('2');
    futures::pending!();
    noted.note('3');
}

async fn uses(noted: Noted) -> usize {
    pends(&noted).await;
    1
}

fn items(noted: Noted) -> impl Iterator<Item = u8> + Send {
    (0..2).inspect(move |n| noted.note(char::from(b'1' + n)))
}

functions! {
    #[runnable(skip_output)]
    [async fn] waits -> usize: uses, await;
    #[runnable(skip_output)]
    [fn] value -> usize: |noted: Noted| { noted.note('1'); 1 };
    #[runnable]
    [fn] later -> Noted: |noted| noted;
    #[runnable]
    [fn] future -> impl Future<Output = usize> + Send: uses;
    #[runnable(opaque)]
    [fn] hidden_future -> impl Future<Output = usize>: uses;
    #[runnable]
    [fn] boxed_future -> BoxFuture<'static, usize>: |noted| uses(noted).boxed();
    #[runnable]
    [fn] pinned_future -> Pin<Box<dyn Future<Output = usize> + Send>>: |noted| Box::pin(uses(noted));
    #[runnable]
    [fn] stream -> impl Stream<Item = u8> + Send: |noted| stream::iter(items(noted));
    #[runnable(opaque)]
    [fn] hidden_stream -> impl Stream<Item = u8>: |noted| stream::iter(items(noted));
    #[runnable]
    [async fn] stream_later -> impl Stream<Item = u8>: |noted| stream::iter(items(noted));
    #[runnable]
    [fn] boxed_stream -> BoxStream<'static, u8>: |noted| stream::iter(items(noted)).boxed();
    #[runnable]
    [fn] iterator -> impl Iterator<Item = u8>: items;
    #[runnable(opaque)]
    [fn] hidden_iterator -> impl Iterator<Item = u8>: items;
    #[runnable]
    [fn] boxed_iterator -> Box<dyn Iterator<Item = u8>>: |noted| Box::new(items(noted));
}

/// Where the drops of one call are written, and what it did between them.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn noted(&self, letter: char) -> Noted {
        Noted(letter, Arc::clone(&self.0))
    }

    fn note(&self, letter: char) {
        self.0.lock().unwrap().push(letter);
    }

    /// Asks so often, until there is nothing any more, and drops what was asked.
    fn ask<T>(self, times: usize, mut call: T, mut ask: impl FnMut(&mut T) -> Asked) -> String {
        self.note('(');
        for _ in 0..times {
            match ask(&mut call) {
                Asked::Pending => self.note('.'),
                Asked::Item => self.note(','),
                Asked::Done => {
                    self.note(';');
                    break;
                }
            }
        }
        drop(call);
        self.note(')');
        self.0.lock().unwrap().clone()
    }

    fn future(self, times: usize, call: impl Future) -> String {
        let mut cx = Context::from_waker(Waker::noop());
        self.ask(times, Box::pin(call), |call| match call.as_mut().poll(&mut cx) {
            Poll::Ready(_) => Asked::Done,
            Poll::Pending => Asked::Pending,
        })
    }

    fn stream(self, times: usize, call: impl Stream) -> String {
        let mut cx = Context::from_waker(Waker::noop());
        self.ask(times, Box::pin(call), |call| match call.as_mut().poll_next(&mut cx) {
            Poll::Ready(Some(_)) => Asked::Item,
            Poll::Ready(None) => Asked::Done,
            Poll::Pending => Asked::Pending,
        })
    }

    fn iterator(self, times: usize, call: impl Iterator) -> String {
        self.ask(times, call, |call| match call.next() {
            Some(_) => Asked::Item,
            None => Asked::Done,
        })
    }
}

enum Asked {
    Pending,
    Item,
    Done,
}

/// The drops of a call that is polled so often.
macro_rules! drops {
    ($how:ident, $times:expr, $function:ident) => {
        drops!($how, $times, $function, |call| call)
    };
    ($how:ident, $times:expr, $function:ident, $then:expr) => {{
        let log = Log::default();
        let n = |letter| log.noted(letter);
        let arrays = [n('f'), n('g'), n('h')];
        let call = $function(n('a'), n('b'), n('c'), (n('d'), n('e')), arrays, n('i'));
        let then = $then;
        let drops = log.clone().$how($times, then(call));
        format!("{}: {drops}\n", stringify!($function))
    }};
}

/// What each function drops when its call is polled so often.
///
/// The body of a function that returns `impl …` runs when its call is first polled; so it is polled
/// once more, and what it does is the same but for the place of the first `(`.
pub(crate) fn transcript(polls: usize) -> String {
    let made_here = [
        drops!(future, polls, waits),
        drops!(future, polls, value, std::future::ready),
        drops!(future, polls, later, std::future::ready),
        drops!(future, polls, boxed_future),
        drops!(future, polls, pinned_future),
        drops!(stream, polls, stream_later, FutureExt::flatten_stream),
        drops!(stream, polls, boxed_stream),
        drops!(iterator, polls, boxed_iterator),
    ];
    let made_there = [
        drops!(future, polls + 1, future),
        drops!(future, polls + 1, hidden_future),
        drops!(stream, polls + 1, stream),
        drops!(stream, polls + 1, hidden_stream),
        drops!(iterator, polls + 1, iterator),
        drops!(iterator, polls + 1, hidden_iterator),
    ];
    made_here.concat() + &made_there.concat().replace('(', "")
}
