//! Makes plain functions observable with one attribute.
//!
//! Each call of a [`runnable`] function emits events while it lives, leaves a span in a trace when
//! it ends, and is still called like any function: workflows are composed by calling.
//!
//! ```
//! use timbal::{Event, OutputEvent, runnable};
//!
//! #[runnable]
//! async fn greet(name: String) -> String {
//!     format!("Hello, {name}!")
//! }
//!
//! # futures::executor::block_on(async {
//! let text: String = greet("Alice".into()).await; // the function's own return type
//! assert_eq!(text, "Hello, Alice!");
//!
//! let mut events = greet("Alice".into()).events(); // the same call as a stream of events
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::Start(start) => println!("{} started", start.path),
//!         Event::Chunk(chunk) => println!("{}", chunk.chunk),
//!         Event::Output(done) => println!("{} in {:?}", done.output, done.elapsed()),
//!         _ => {}
//!     }
//! }
//!
//! let done: OutputEvent = greet("Alice".into()).collect().await; // only the final event
//! assert_eq!(done.output, "Hello, Alice!");
//!
//! let (text, trace) = greet("Alice".into()).traced().await; // the value and the whole trace
//! assert_eq!(trace.to_string(), r#"greet {"name":"Alice"} -> "Hello, Alice!""#);
//! # assert_eq!(text, "Hello, Alice!");
//! # });
//! ```
//!
//! # Streams and iterators
//!
//! Functions that return one are called as they were. Each item is a chunk, and the output is
//! what all of them come to: also when one is an error, or when the stream is dropped early.
//!
//! ```
//! # use timbal::runnable;
//! use futures::stream::{self, Stream, StreamExt};
//!
//! #[runnable]
//! fn words(text: &str) -> impl Stream<Item = &str> {
//!     stream::iter(text.split_inclusive(' '))
//! }
//!
//! # futures::executor::block_on(async {
//! let mut stream = words("Hello, Alice!");
//! assert_eq!(stream.next().await, Some("Hello, "));
//!
//! let done = words("Hello, Alice!").events().collect().await;
//! assert_eq!(done.output, "Hello, Alice!");
//! # });
//!
//! #[runnable]
//! fn doubles(to: u64) -> impl Iterator<Item = u64> {
//!     (0..to).map(|n| n * 2)
//! }
//!
//! assert_eq!(doubles(3).sum::<u64>(), 6);
//! let (doubles, trace) = doubles(3).traced();
//! assert_eq!(trace.to_string(), r#"doubles {"to":3} -> [0,2,4]"#);
//! # assert_eq!(doubles, [0, 2, 4]);
//! ```
//!
//! # Generators
//!
//! A function that says `yields` is written without a stream or an iterator: its body says
//! [`yield_!`](yield_!) and may return something in the end, which is its output.
//!
//! ```
//! # use timbal::{runnable, yield_};
//! #[runnable(yields = char)]
//! async fn spell(word: &str) -> usize {
//!     for letter in word.chars() {
//!         yield_!(letter);
//!     }
//!     word.len()
//! }
//!
//! #[runnable(yields = u64)]
//! fn countdown(from: u64) {
//!     for n in (1..=from).rev() {
//!         yield_!(n);
//!     }
//! }
//!
//! # futures::executor::block_on(async {
//! let (letters, trace) = spell("tea").traced().await;
//! assert_eq!(trace.to_string(), r#"spell {"word":"tea"} -> 3"#);
//! # assert_eq!(letters, ['t', 'e', 'a']);
//! assert_eq!(spell("tea").returned().await, 3);
//! # });
//! assert_eq!(countdown(3).collect::<Vec<_>>(), [3, 2, 1]);
//! ```
//!
//! # Functions that are not async
//!
//! Those that return a future are called as an `async fn` is: what they do is done in the call. Boxed
//! futures, streams and iterators keep their types, and are recorded as what they are. All others keep
//! their types too, run where they are called, and are calls of the call around them:
//!
//! ```
//! # use timbal::runnable;
//! #[runnable]
//! fn double(n: u64) -> u64 {
//!     n * 2
//! }
//!
//! #[runnable]
//! async fn sum_of_doubles(a: u64, b: u64) -> u64 {
//!     double(a) + double(b)
//! }
//!
//! # futures::executor::block_on(async {
//! let (sum, trace) = sum_of_doubles(1, 2).traced().await;
//! assert_eq!(trace.find("sum_of_doubles.double").unwrap().output, 2);
//! # assert_eq!(sum, 6);
//! # });
//! ```
//!
//! # Errors
//!
//! An error comes back as it was, and is recorded with a traceback: every `?` that it passed, in every
//! call. `bail!` ends a call that has nothing more to do, which is no failure.
//!
//! ```
//! # use timbal::runnable;
//! #[runnable]
//! async fn half(text: &str) -> Result<u32, Box<dyn std::error::Error>> {
//!     if text.is_empty() {
//!         timbal::bail!("no text");
//!     }
//!     Ok(text.parse::<u32>()? / 2)
//! }
//!
//! # futures::executor::block_on(async {
//! let error = half("x").collect().await.error.unwrap();
//! assert_eq!(error.to_string(), "Box<dyn std::error::Error>: invalid digit found in string");
//! assert_eq!(error.frames()[0].text(), Some("text.parse::<u32>()?"));
//!
//! let done = half("").collect().await;
//! assert_eq!(done.status.to_string(), "cancelled (early_exit): no text");
//! # });
//! ```
//!
//! # Methods and traits
//!
//! The attribute stands wherever functions do, also under `#[async_trait]`; above an `impl` block it
//! asks for all of its functions that are `async`, or return a future, a stream or an iterator:
//!
//! ```
//! # use timbal::runnable;
//! #[derive(serde::Serialize)]
//! struct Model {
//!     name: String,
//! }
//!
//! #[runnable(capture_self)]
//! impl Model {
//!     async fn ask(&self, question: &str) -> usize {
//!         question.len()
//!     }
//! }
//!
//! # futures::executor::block_on(async {
//! let done = Model { name: "gpt-5".into() }.ask("why?").collect().await;
//! assert_eq!(done.input.as_json(), r#"{"self":{"name":"gpt-5"},"question":"why?"}"#);
//! # });
//! ```
//!
//! # From inside a call
//!
//! In a call, and in any function that it calls, with no argument passed along:
//!
//! - [`usage()`] adds to what this call and every call above it used;
//! - [`metadata()`] says something about this call;
//! - [`emit()`] is a chunk: it waits while a reader is far behind; [`try_emit()`] never waits;
//! - [`current()`] names the call, and [`current_recorder()`] gives what earlier runs came to.
//!
//! A call belongs to the call in which it was made, whichever task or thread runs it. What is no call
//! is carried there by [`in_current()`], [`InCurrent`] and [`spawn()`].
//!
//! # Who hears of it
//!
//! Libraries annotate, binaries install: [`init`] makes a recorder by what the environment says,
//! [`Timbal::builder`] one by what the code says. A recorder keeps traces in a [`Store`], and tells
//! every event to its [`Subscriber`]s, such as [`Log`]. Where nobody reads a call and no recorder is
//! installed, nothing is captured and no event is built.
//!
//! A recorder is asked for a [trace](Timbal::trace), for [runs](Timbal::runs) by [`Filter`], for
//! [statistics](Timbal::stats) by [`StatsQuery`], and to let go of [old runs](Timbal::prune).
//!
//! [`Builder::record`] records some runs and not others. In a build with `RUSTFLAGS="--cfg timbal_off"`
//! nothing is recorded: no recorder hears of any call, and a call that nobody reads does what the plain
//! function does. Calls can still be read.
//!
//! Spans are written in the background, within 100 milliseconds. With [`Durability::Committed`] the
//! first call of a run completes when the run is in the store; what takes longer than it may, is lost,
//! or fails, is in [`Timbal::health`]. An [`Exporter`], such as [`JsonlExporter`], sends finished spans
//! elsewhere.
//!
//! # What is captured
//!
//! Parameters and outputs are serialised once, with `serde`, and carried as JSON in a [`Payload`].
//! Values of keys like `password` or `api_key` are `"***"`, at any depth; a value of more than 1 MiB
//! or 128 levels is cut; what cannot be serialised says so in its place. [`Builder::mask_keys`],
//! [`Builder::max_payload_bytes`] and [`Builder::max_payload_depth`] say otherwise. What an error's
//! `Display` says is recorded as it is.
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `conformance` | [`conformance`] and [`store_conformance!`]: tests for authors of stores |
//! | `log` | [`Log`], and `TIMBAL_LOG` in [`init`] |
//! | `postgres` | [`PostgresStore`], and `TIMBAL_STORE=postgres://…` in [`init`] |
//! | `sqlite` | [`SqliteStore`], and `TIMBAL_STORE=sqlite:FILE` in [`init`] |
//! | `tokio` | `#[runnable(blocking)]`, [`Call::timeout`], [`spawn()`] |
#![cfg_attr(
    not(all(
        feature = "conformance",
        feature = "log",
        feature = "postgres",
        feature = "sqlite",
        feature = "tokio"
    )),
    allow(rustdoc::broken_intra_doc_links, reason = "of what is not there")
)]

mod init;
#[cfg(feature = "log")]
mod log;

pub use timbal_core::*;
pub use timbal_macros::{runnable, yield_};
#[cfg(feature = "postgres")]
pub use timbal_postgres::{ConnectError, PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use timbal_sqlite::{OpenError, SqliteOptions, SqliteStore};

pub use crate::init::{InitError, builder_from_env, init};
#[cfg(feature = "log")]
pub use crate::log::{Log, LogFormat};
#[doc(hidden)] // A method of pinned calls, for those who name the macro.
pub use timbal_core::Pinned as yield_;

#[doc(hidden)]
pub use timbal_core::__private;
