//! Every shape of function, everywhere it can stand, whatever becomes of its call.

use std::future::{Ready, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Condvar, Mutex};
use std::task::{Context, Poll, Waker};

use expect_test::expect;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, Stream, StreamExt};
use serde::Serialize;
use timbal::{Event, Trace, runnable, yield_};
use timbal_tests::read_all;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
enum Fate {
    Success,
    Error,
    Panic,
    /// It is asked once, and dropped.
    Early,
    Unpolled,
}

const FATES: [Fate; 5] = [Fate::Success, Fate::Error, Fate::Panic, Fate::Early, Fate::Unpolled];

type Outcome = Result<u8, String>;

/// Held while a blocking call is dropped early: it goes on, but not to its end.
static GATE: Mutex<()> = Mutex::new(());

/// Whether that call is on its way, and who waits for it to be.
static BEGUN: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

impl Fate {
    /// The end of every body.
    fn meet(self) -> Outcome {
        match self {
            Fate::Error => Err("failed".to_owned()),
            // Without the hook, which would say each on the terminal.
            Fate::Panic => resume_unwind(Box::new("gone")),
            _ => Ok(2),
        }
    }

    /// Waits once for nothing.
    async fn wait(self) {
        let mut waited = false;
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn block(self) -> Outcome {
        if self == Fate::Early {
            *BEGUN.0.lock().unwrap() = true;
            BEGUN.1.notify_one();
            drop(GATE.lock());
        }
        self.meet()
    }

    fn items(self) -> impl Iterator<Item = Outcome> + Send {
        std::iter::once(Ok(1)).chain(std::iter::once_with(move || self.meet()))
    }

    fn stream(self) -> impl Stream<Item = Outcome> + Send {
        stream::iter(self.items())
    }
}

/// What is asked of a call until its fate is met.
trait Drive {
    fn drive(self, fate: Fate) -> impl Future<Output = ()>;
}

struct OfFuture<F>(F);
struct OfBlocking<F>(F);
struct OfStream<S>(S);
struct OfLater<F>(F);
struct OfIterator<I>(I);

impl<F: Future> Drive for OfFuture<F> {
    async fn drive(self, fate: Fate) {
        match fate {
            Fate::Unpolled => drop(self.0),
            Fate::Early => drop(polled(self.0)),
            _ => drop(AssertUnwindSafe(self.0).catch_unwind().await),
        }
    }
}

impl<S: Stream> Drive for OfStream<S> {
    async fn drive(self, fate: Fate) {
        let mut stream = Box::pin(self.0);
        match fate {
            Fate::Unpolled => {}
            Fate::Early => drop(stream.next().await),
            _ => drop(AssertUnwindSafe(stream.count()).catch_unwind().await),
        }
    }
}

impl<F: Future<Output: Stream>> Drive for OfLater<F> {
    async fn drive(self, fate: Fate) {
        match fate {
            Fate::Unpolled => drop(self.0),
            _ => OfStream(self.0.await).drive(fate).await,
        }
    }
}

impl<I: Iterator> Drive for OfIterator<I> {
    async fn drive(mut self, fate: Fate) {
        match fate {
            Fate::Unpolled => {}
            Fate::Early => drop(self.0.next()),
            _ => drop(catch_unwind(AssertUnwindSafe(|| self.0.count()))),
        }
    }
}

impl<F: Future> Drive for OfBlocking<F> {
    async fn drive(self, fate: Fate) {
        if fate != Fate::Early {
            return OfFuture(self.0).drive(fate).await;
        }
        let _held = GATE.lock();
        let future = polled(self.0);
        let begun = BEGUN.0.lock().unwrap();
        *BEGUN.1.wait_while(begun, |begun| !*begun).unwrap() = false;
        drop(future);
    }
}

/// The future, polled once.
fn polled<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "it waits once");
    future
}

/// What is to be seen of a call: that of a value or of items, for each fate.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    fates: &'static [Fate],
    /// Why it has no other fates.
    otherwise: &'static str,
}

const VALUE: Kind = Kind {
    name: "value",
    fates: &[Fate::Success, Fate::Error, Fate::Panic],
    otherwise: "it has run when it returns, so nothing can drop it",
};
const FUTURE: Kind = Kind { name: "future", fates: &FATES, otherwise: "" };
const ITEMS: Kind = Kind { name: "items", fates: &FATES, otherwise: "" };
const TRY: Kind = Kind { name: "try_yields", fates: &FATES, otherwise: "" };
const YIELDS: Kind = Kind {
    name: "yields",
    fates: &[Fate::Success, Fate::Panic, Fate::Early, Fate::Unpolled],
    otherwise: "it returns no `Result`: that is what `try_yields` is for",
};

#[derive(Default)]
struct Table {
    rows: Vec<String>,
    /// Calls that were made and are as expected.
    cells: usize,
    /// Those that cannot be.
    missing: usize,
}

impl Table {
    /// Makes a call for each fate, and compares what is heard and traced of it.
    async fn row<D: Drive>(
        &mut self,
        shape: &str,
        place: &str,
        kind: Kind,
        make: impl AsyncFn(Fate) -> D,
    ) {
        let mut row = format!("{shape:<20} {place:<22}");
        for fate in FATES {
            if !kind.fates.contains(&fate) {
                row += &format!(" {fate:?}: - ({})", kind.otherwise);
                self.missing += 1;
                continue;
            }
            let body = async || {
                if kind.name == "value" {
                    let called = AssertUnwindSafe(make(fate)).catch_unwind().await;
                    drop(called.map(|_| ()));
                } else {
                    make(fate).await.drive(fate).await;
                }
            };
            let events = read_all(timbal::call!("in", skip_output, body()).events()).await;
            let (_, trace) = timbal::call!("in", skip_output, body()).traced().await;
            let is = format!("{}{}", heard(&events), traced(&trace));
            assert_eq!(is, expected(kind, fate), "{shape}, {place}, {fate:?}");
            row += &format!(" {fate:?}: ok");
            self.cells += 1;
        }
        self.rows.push(row);
    }

    /// What cannot stand there, and why.
    fn none(&mut self, shape: &str, place: &str, reason: &str) {
        self.rows.push(format!("{shape:<20} {place:<22} - ({reason})"));
        self.missing += FATES.len();
    }
}

/// The events of the call itself.
fn heard(events: &[Event]) -> String {
    let own = events.iter().filter(|event| event.path() == "in.call");
    let show = |event: &Event| match event {
        Event::Start(_) => "start\n".to_owned(),
        Event::Chunk(chunk) => format!("chunk {}\n", chunk.chunk),
        Event::Output(done) => {
            let error = done.error.as_ref().map(|error| format!(" !! {error}"));
            let error = error.unwrap_or_default();
            format!("output {} -> {} {}{error}\n", done.input, done.output, done.status)
        }
        other => format!("{other:?}\n"),
    };
    own.map(show).collect()
}

/// Its span, below that of the block.
fn traced(trace: &Trace) -> String {
    let own = trace.spans.iter().filter(|span| span.path == "in.call");
    let show = |span: &timbal::Span| {
        format!("span {} -> {} {}, {} chunks\n", span.input, span.output, span.status, span.chunks)
    };
    own.map(show).collect()
}

/// What is to be seen of such a call.
fn expected(kind: Kind, fate: Fate) -> String {
    if fate == Fate::Unpolled {
        return String::new();
    }
    let failed = r#"{"type":"String","message":"failed"}"#;
    let (status, error) = match fate {
        Fate::Success | Fate::Unpolled => ("success", ""),
        Fate::Error => ("error", " !! String: failed"),
        Fate::Panic => ("error", " !! panic: gone"),
        Fate::Early => ("cancelled (dropped)", ""),
    };
    let (chunks, output): (&[&str], &str) = match (kind.name, fate) {
        ("value" | "future", Fate::Success) => (&[], "2"),
        ("value" | "future", _) => (&[], "null"),
        ("items", Fate::Success) => (&["1", "2"], "[1,2]"),
        ("items" | "try_yields", Fate::Error) => (&["1", failed], "[1]"),
        (_, Fate::Success) => (&["1"], "2"),
        _ => (&["1"], "[1]"),
    };
    let input = format!(r#"{{"fate":"{fate:?}"}}"#);
    let chunk_lines: String = chunks.iter().map(|chunk| format!("chunk {chunk}\n")).collect();
    format!(
        "start\n{chunk_lines}output {input} -> {output} {status}{error}\n\
         span {input} -> {output} {status}, {} chunks\n",
        chunks.len(),
    )
}

/// A function of one shape, everywhere.
///
/// A default method is `opaque` where the shape has a handle, and a trait declares what its `impl`
/// then says more of; where it cannot, there is the reason.
macro_rules! shape {
    (
        $table:ident, $shape:literal, $kind:expr, $drive:expr;
        [$($options:tt)*] [$($hidden:tt)*]
        [$($qualifiers:tt)*] ($fate:ident) -> $output:ty, $body:tt
        in traits $declared:tt
    ) => {{
        {
            #[runnable($($options)*)]
            $($qualifiers)* call($fate: Fate) -> $output $body

            $table.row($shape, "free function", $kind, async |fate| $drive(call(fate))).await;
            let held: Box<dyn Fn(Fate) -> _> = Box::new(|fate| call(fate));
            $table.row($shape, "held by a closure", $kind, async |fate| $drive(held(fate))).await;
        }
        {
            fn outer(fate: Fate) -> impl Drive {
                #[runnable($($options)*)]
                $($qualifiers)* call($fate: Fate) -> $output $body
                $drive(call(fate))
            }
            $table.row($shape, "in a function", $kind, async |fate| outer(fate)).await;
        }
        {
            #[runnable($($options)*)]
            $($qualifiers)* call<const N: usize, T>($fate: Fate, _unused: [T; N]) -> $output
            where
                T: Send + 'static,
            $body
            $table.row($shape, "generic", $kind, async |fate| $drive(call(fate, ["", "b"]))).await;
        }
        {
            struct Holder;
            impl Holder {
                #[runnable($($options)*)]
                $($qualifiers)* call(self, $fate: Fate) -> $output $body
            }
            $table.row($shape, "method of self", $kind, async |fate| $drive(Holder.call(fate))).await;
        }
        {
            struct Holder;
            impl Holder {
                #[runnable($($options)*)]
                $($qualifiers)* call($fate: Fate) -> $output $body
            }
            $table.row($shape, "associated function", $kind, async |fate| $drive(Holder::call(fate))).await;
        }
        shape!(@borrowed $table, $shape, $kind, $drive; [$($options)*] [$($hidden)*]
            [$($qualifiers)*] ($fate) -> $output, $body $declared);
    }};
    (@borrowed $table:ident, $shape:literal, $kind:expr, $drive:expr; $options:tt $hidden:tt
        $qualifiers:tt ($fate:ident) -> $output:ty, $body:tt (none: $reason:literal)
    ) => {
        for place in ["method of &self", "trait default", "trait impl", "async_trait", "whole impl block"] {
            $table.none($shape, place, $reason);
        }
    };
    (@borrowed $table:ident, $shape:literal, $kind:expr, $drive:expr;
        [$($options:tt)*] [$($hidden:tt)*]
        [$($qualifiers:tt)*] ($fate:ident) -> $output:ty, $body:tt ($async_trait:tt $block:tt $($declared:tt)+)
    ) => {
        static HOLDER: Holder = Holder;
        struct Holder;
        impl Holder {
            #[runnable($($options)*)]
            $($qualifiers)* call(&self, $fate: Fate) -> $output $body
        }
        $table.row($shape, "method of &self", $kind, async |fate| $drive(HOLDER.call(fate))).await;
        {
            trait Calls: Sync {
                #[runnable($($options)* $($hidden)*)]
                $($qualifiers)* call(&self, $fate: Fate) -> $output $body
            }
            impl Calls for u8 {}
            $table.row($shape, "trait default", $kind, async |fate| $drive(Calls::call(&1, fate))).await;
        }
        shape!(@impl ($($declared)+) $table, $shape, $kind, $drive; [$($options)*]
            [$($qualifiers)*] ($fate) -> $output, $body);
        shape!(@async_trait $async_trait $table, $shape, $kind, $drive; [$($options)*]
            [$($qualifiers)*] ($fate) -> $output, $body);
        shape!(@block $block $table, $shape, $kind, $drive; [$($options)*]
            [$($qualifiers)*] ($fate) -> $output, $body);
    };
    (@impl ([$($declared:tt)*] -> $declares:ty) $table:ident, $shape:literal, $kind:expr, $drive:expr;
        [$($options:tt)*] [$($qualifiers:tt)*] ($fate:ident) -> $output:ty, $body:tt
    ) => {{
        trait Calls {
            $($declared)* call(&self, fate: Fate) -> $declares;
        }
        impl Calls for u8 {
            #[runnable($($options)*)]
            $($qualifiers)* call(&self, $fate: Fate) -> $output $body
        }
        $table.row($shape, "trait impl", $kind, async |fate| $drive(Calls::call(&1, fate))).await;
    }};
    (@impl ($reason:literal) $table:ident, $shape:literal, $($rest:tt)*) => {
        $table.none($shape, "trait impl", $reason);
    };
    (@block yes $table:ident, $shape:literal, $kind:expr, $drive:expr; [$($options:tt)*]
        [$($qualifiers:tt)*] ($fate:ident) -> $output:ty, $body:tt
    ) => {{
        static BLOCK: Block = Block;
        struct Block;
        #[runnable($($options)*)]
        impl Block {
            $($qualifiers)* call(&self, $fate: Fate) -> $output $body
        }
        $table.row($shape, "whole impl block", $kind, async |fate| $drive(BLOCK.call(fate))).await;
    }};
    (@block $reason:literal $table:ident, $shape:literal, $($rest:tt)*) => {
        $table.none($shape, "whole impl block", $reason);
    };
    (@async_trait yes $table:ident, $shape:literal, $kind:expr, $drive:expr; [$($options:tt)*]
        [$($qualifiers:tt)*] ($fate:ident) -> $output:ty, $body:tt
    ) => {{
        #[async_trait::async_trait]
        trait Calls {
            async fn call(&self, fate: Fate) -> $output;
        }
        #[async_trait::async_trait]
        impl Calls for u8 {
            #[runnable($($options)*)]
            $($qualifiers)* call(&self, $fate: Fate) -> $output $body
        }
        $table.row($shape, "async_trait", $kind, async |fate| $drive(Calls::call(&1, fate))).await;
    }};
    (@async_trait $reason:literal $table:ident, $shape:literal, $($rest:tt)*) => {
        $table.none($shape, "async_trait", $reason);
    };
}

/// It is one call with what it gives, so that can be asked for nothing.
fn of_value(outcome: Outcome) -> OfFuture<Ready<Outcome>> {
    OfFuture(ready(outcome))
}

async fn futures_and_values(table: &mut Table) {
    shape! { table, "async fn", FUTURE, OfFuture; [] [opaque]
    [async fn] (fate) -> Outcome, { fate.wait().await; fate.meet() }
    in traits (yes yes [async fn] -> Outcome) }
    shape! { table, "opaque", FUTURE, OfFuture; [opaque] []
    [async fn] (fate) -> Outcome, { fate.wait().await; fate.meet() }
    in traits ("async_trait names its types" yes [async fn] -> Outcome) }
    shape! { table, "boxed", FUTURE, OfFuture; [boxed] []
    [async fn] (fate) -> Outcome, { fate.wait().await; fate.meet() }
    in traits ("async_trait boxes already" yes "its type names lifetimes, which the trait does not") }
    shape! { table, "impl Future", FUTURE, OfFuture; [] [opaque]
    [fn] (fate) -> impl Future<Output = Outcome>, { fate.wait().map(move |()| fate.meet()) }
    in traits ("what is not async is as in any trait" yes [fn] -> impl Future<Output = Outcome>) }
    shape! { table, "boxed future", FUTURE, OfFuture; [] []
    [fn] (fate) -> BoxFuture<'static, Outcome>, { fate.wait().map(move |()| fate.meet()).boxed() }
    in traits ("what is not async is as in any trait" yes [fn] -> BoxFuture<'static, Outcome>) }
    shape! { table, "pinned box", FUTURE, OfFuture; [] []
    [fn] (fate) -> Pin<Box<dyn Future<Output = Outcome>>>, { Box::pin(fate.wait().map(move |()| fate.meet())) }
    in traits ("what is not async is as in any trait" yes [fn] -> Pin<Box<dyn Future<Output = Outcome>>>) }
    shape! { table, "value", VALUE, of_value; [] []
    [fn] (fate) -> Outcome, { fate.meet() }
    in traits ("what is not async is as in any trait" "a sync method asks for itself" [fn] -> Outcome) }
    shape! { table, "blocking", FUTURE, OfBlocking; [blocking] []
    [fn] (fate) -> Outcome, { fate.block() }
    in traits (none: "it can outlive its caller, and owns what it uses") }
}

async fn streams_and_iterators(table: &mut Table) {
    shape! { table, "impl Stream", ITEMS, OfStream; [] [opaque]
    [fn] (fate) -> impl Stream<Item = Outcome>, { fate.stream() }
    in traits ("what is not async is as in any trait" yes [fn] -> impl Stream<Item = Outcome>) }
    shape! { table, "async impl Stream", ITEMS, OfLater; [] [opaque]
    [async fn] (fate) -> impl Stream<Item = Outcome>, { fate.wait().await; fate.stream() }
    in traits ("async_trait names its types" yes [async fn] -> impl Stream<Item = Outcome>) }
    shape! { table, "boxed stream", ITEMS, OfStream; [] []
    [fn] (fate) -> BoxStream<'static, Outcome>, { fate.stream().boxed() }
    in traits ("what is not async is as in any trait" yes [fn] -> BoxStream<'static, Outcome>) }
    shape! { table, "impl Iterator", ITEMS, OfIterator; [] [opaque]
    [fn] (fate) -> impl Iterator<Item = Outcome>, { fate.items() }
    in traits ("what is not async is as in any trait" yes [fn] -> impl Iterator<Item = Outcome>) }
    shape! { table, "boxed iterator", ITEMS, OfIterator; [] []
    [fn] (fate) -> Box<dyn Iterator<Item = Outcome>>, { Box::new(fate.items()) }
    in traits ("what is not async is as in any trait" yes [fn] -> Box<dyn Iterator<Item = Outcome>>) }
}

async fn generators(table: &mut Table) {
    shape! { table, "yields, async", YIELDS, OfStream; [yields = u8] [, opaque]
    [async fn] (fate) -> u8, { fate.wait().await; yield_!(1); fate.meet().unwrap_or_default() }
    in traits ("async_trait names its types" "each says what it yields" [fn] -> impl Stream<Item = u8>) }
    shape! { table, "yields", YIELDS, OfIterator; [yields = u8] [, opaque]
    [fn] (fate) -> u8, { yield_!(1); fate.meet().unwrap_or_default() }
    in traits ("what is not async is as in any trait" "each says what it yields" [fn] -> impl Iterator<Item = u8>) }
    shape! { table, "try_yields, async", TRY, OfStream; [try_yields = u8] [, opaque]
    [async fn] (fate) -> Result<u8, String>, { fate.wait().await; yield_!(1); fate.meet() }
    in traits ("async_trait names its types" "each says what it yields" [fn] -> impl Stream<Item = Outcome>) }
    shape! { table, "try_yields", TRY, OfIterator; [try_yields = u8] [, opaque]
    [fn] (fate) -> Result<u8, String>, { yield_!(1); fate.meet() }
    in traits ("what is not async is as in any trait" "each says what it yields" [fn] -> impl Iterator<Item = Outcome>) }
}

#[tokio::test]
async fn every_cell_is_recorded() {
    let mut table = Table::default();
    futures_and_values(&mut table).await;
    streams_and_iterators(&mut table).await;
    generators(&mut table).await;
    println!("{}", table.rows.join("\n"));
    let Table { rows, cells, missing } = table;
    expect!["187 rows: 769 calls, 166 that cannot be"]
        .assert_eq(&format!("{} rows: {cells} calls, {missing} that cannot be", rows.len()));
}
