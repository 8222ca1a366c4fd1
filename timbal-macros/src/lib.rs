//! `#[runnable]`, the attribute of timbal: it makes a plain function observable.
//!
//! What `expand` calls, in that order, is the crate: `item` and `args` are parsed, `model` says them
//! in our words (and the body with its notes: `tries`), `check` finds what is wrong, and `expand` writes
//! the code. Users name the crate
//! `timbal`, not this one.

mod args;
mod block;
mod check;
mod closures;
mod err;
mod errors;
mod expand;
mod item;
mod lifetimes;
mod model;
mod origins;
mod recursion;
mod shape;
#[cfg(test)]
mod tests;
mod text;
mod tries;
mod yields;

use proc_macro2::TokenStream;

use crate::args::Args;
use crate::block::Block;
use crate::errors::Errors;
use crate::item::Item;
use crate::model::Runnable;

/// Makes a function observable. A call of it emits events while it lives and leaves a span when it
/// ends; otherwise it is the function that it was.
///
/// Its parameters and its output are captured, for which they implement `serde::Serialize`.
///
/// # What a call gives
///
/// What a signature names, it keeps; the shape is read from the return type as it is written.
///
/// | the function | calling it gives |
/// | --- | --- |
/// | `async fn f(..) -> T` | `timbal::Call<..>`, which is a `Future<Output = T>` |
/// | `fn f(..) -> impl Future<Output = T>` | the same `Call`, in which the function's body runs |
/// | `fn f(..) -> impl Stream<Item = T>` | `timbal::StreamCall<..>`, which is a `Stream<Item = T>`: each item is a chunk |
/// | `async fn f(..) -> impl Stream<Item = T>` | `timbal::StreamCallFuture<..>`, a future of that: both are one call |
/// | `fn f(..) -> impl Iterator<Item = T>` | `timbal::IterCall<..>`, which is an `Iterator<Item = T>`: each item is a chunk |
/// | `#[runnable(yields = T)] async fn f(..) -> R`, whose body says [`yield_!`](yield_) | `timbal::StreamCall<..>`, a stream of what it yields; `.returned().await` gives the `R` |
/// | `#[runnable(yields = T)] fn f(..) -> R`, in the same way | `timbal::IterCall<..>`, an iterator; `.returned()` gives the `R` |
/// | `#[runnable(try_yields = T)]` on either, `-> Result<R, E>` | the same with items of `Result<T, E>`: its error is the last item |
/// | a boxed future, stream or iterator: `Pin<Box<dyn Future<Output = T>>>`, `BoxStream<'_, T>`, `Box<dyn Stream<Item = T> + Unpin>` | that type: it is recorded as what it is |
/// | `#[runnable(blocking)] fn f(..) -> T` | a `Call` that runs on a thread which may be blocked |
/// | `fn f(..) -> T` | `T`: it runs when it would have run, and is recorded inside |
///
/// An alias of a boxed type is not seen as one. What a function does before it has made what it boxes,
/// and the calls that it makes there, belong to its caller; nothing is said of the call until what it
/// made is polled.
///
/// The body of a function that returns `impl …` runs in its call, which thus borrows what the parameters
/// do. If the type says that it borrows less, as `impl Stream<Item = u8> + 'static`, `+ 'a` or
/// `+ use<'a>` can, the body runs where the function is called, as that of a boxed one does. Before edition
/// 2024 a type that names no lifetime borrows nothing: to keep that, say `+ use<>`.
///
/// # Where it stands
///
/// On free functions, methods, associated functions, in traits and in their `impl`s, under
/// `#[async_trait]`, inside of functions. Above an `impl` block it asks for the functions in it that
/// are `async`, or return a future, a stream or an iterator; others ask for themselves.
///
/// A default method of a trait that is `async`, or returns `impl …`, says `opaque`: or those who write
/// their own would have to return a handle too.
///
/// # What items come to
///
/// The output of a stream or an iterator is what its items come to: `String`, `&str` and `char` items are joined into
/// one text, others are a list, and no items are `null`. Items that are an `Err` pass like all others:
/// the first is the call's error. What there was before an error, or before an early drop, is kept.
/// What yields and returns more than `()` has that as its output, if it comes to its end.
///
/// # What fails
///
/// Each `?` of the body, also in its closures and `async` blocks, and each `Err(..)` that it returns is
/// noted where it fails, with its code: these are the frames of the error's traceback. Nothing is noted
/// where nothing fails, nor in the arguments of other macros; then the frame is the function's position.
///
/// # Options
///
/// - `name = "…"`: the name of its calls in paths and traces, instead of the function's.
/// - `skip_input`, `skip_output`: what is not captured, and need not be `Serialize`.
/// - `capture_self`: `self` is captured too, which it is not otherwise.
/// - `opaque`: the function returns `impl Future`, `impl Stream` or `impl Iterator`, as it is written,
///   and not a handle of timbal's: for the public functions of libraries, and default methods.
/// - `boxed`: an `async fn` returns `timbal::Call<Pin<Box<dyn Future<Output = T> + Send + '_>>>`: a type
///   that can be named, and the way to call itself. `boxed(local)` is not `Send`.
/// - `blocking`: a `fn` of a value returns a `timbal::Call<..>` that runs it on tokio's blocking pool
///   (feature `tokio`). Its parameters are owned, as it goes on when the call is dropped; what it then
///   says of the call comes too late.
/// - `yields = T`: the body says `yield_!(value)`, any number of times, and then returns.
/// - `try_yields = T`: the same of a function that returns a `Result`.
/// - `fold = "concat"`, `"list"` or `"none"`: what the items come to, if not what their type says.
///   `fold = path`: a `fn(&mut A, &T)` that adds each item, of a `Result` its `Ok`, to an output of its
///   own, which begins as `A::default()`.
/// - `usage = path`: a `fn(&T) -> impl IntoIterator<Item = (&str, u64)>` that takes the usage from
///   the output or from each item, of a `Result` from its `Ok`. What yields has it from what it
///   returns, unless that is `()`.
/// - `metadata(key = "value")`: what each of its calls carries: strings, numbers and bools.
/// - `crate = path`: where timbal is found, if not at `::timbal`.
///
/// On a parameter, `#[skip]` leaves it out of what is captured, and `#[redact]` captures `"***"` in
/// its place. A parameter whose name begins with `_` is left out.
///
/// # Examples
///
/// ```
/// use timbal::runnable;
///
/// #[runnable(name = "hello", metadata(language = "en"))]
/// async fn greet(name: String, #[redact] password: &str) -> String {
///     format!("Hello, {name}!")
/// }
///
/// # futures::executor::block_on(async {
/// let text: String = greet("Alice".into(), "secret").await;
/// assert_eq!(text, "Hello, Alice!");
///
/// let done = greet("Alice".into(), "secret").collect().await;
/// assert_eq!(done.path, "hello");
/// assert_eq!(done.input.as_json(), r#"{"name":"Alice","password":"***"}"#);
/// # });
/// ```
///
/// Futures of every shape:
///
/// ```
/// use futures::future::BoxFuture;
/// use timbal::{Call, runnable};
///
/// #[runnable]
/// fn double(n: u64) -> impl Future<Output = u64> + Send {
///     async move { n * 2 }
/// }
///
/// #[runnable]
/// fn boxed(n: u64) -> BoxFuture<'static, u64> {
///     Box::pin(async move { double(n).await + 1 })
/// }
///
/// #[runnable(boxed)]
/// async fn factorial(n: u64) -> u64 {
///     if n == 0 { 1 } else { n * factorial(n - 1).await }
/// }
///
/// #[runnable(opaque)]
/// pub async fn of_a_library(n: u64) -> u64 {
///     n
/// }
///
/// # futures::executor::block_on(async {
/// let call: Call<_> = double(2);
/// assert_eq!(call.await + boxed(1).await + factorial(3).await + of_a_library(1).await, 14);
/// # });
/// ```
///
/// Values, here and on a thread that may be blocked:
///
/// ```
/// use timbal::runnable;
///
/// #[runnable]
/// fn length(text: &str) -> usize {
///     text.len()
/// }
///
/// #[runnable(blocking)]
/// fn read(path: std::path::PathBuf) -> Result<String, std::io::Error> {
///     std::fs::read_to_string(path)
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(length("text"), 4);
/// assert!(read("nowhere".into()).await.is_err());
/// # });
/// ```
///
/// Streams and iterators:
///
/// ```
/// use futures::stream::{self, BoxStream};
/// use futures::{Stream, StreamExt};
/// use timbal::{IterCall, StreamCall, runnable};
///
/// #[runnable]
/// fn words(text: &str) -> impl Stream<Item = &str> {
///     stream::iter(text.split_inclusive(' '))
/// }
///
/// #[runnable]
/// async fn later(n: u8) -> impl Stream<Item = u8> {
///     stream::iter(0..n)
/// }
///
/// #[runnable]
/// fn boxed(n: u8) -> BoxStream<'static, u8> {
///     stream::once(later(n)).flatten().boxed()
/// }
///
/// #[runnable]
/// fn lengths(text: &str) -> impl DoubleEndedIterator<Item = usize> {
///     text.split(' ').map(str::len)
/// }
///
/// #[runnable]
/// fn boxed_lengths(text: &str) -> Box<dyn Iterator<Item = usize> + '_> {
///     Box::new(lengths(text).rev())
/// }
///
/// # futures::executor::block_on(async {
/// let call: StreamCall<_> = words("to be");
/// assert_eq!(call.events().collect().await.output.as_json(), r#""to be""#);
/// assert_eq!(later(2).await.collect::<Vec<_>>().await, [0, 1]);
/// assert_eq!(boxed(2).collect::<Vec<_>>().await, [0, 1]);
///
/// let call: IterCall<_> = lengths("to be or");
/// assert_eq!(call.rev().sum::<usize>(), 6);
/// assert_eq!(boxed_lengths("a be").collect::<Vec<_>>(), [2, 1]);
/// # });
/// ```
///
/// Methods, in traits and by whole blocks:
///
/// ```
/// use timbal::runnable;
///
/// trait Tool {
///     async fn run(&self, input: &str) -> String;
///
///     #[runnable(opaque)]
///     async fn twice(&self, input: &str) -> String {
///         self.run(&self.run(input).await).await
///     }
/// }
///
/// #[derive(serde::Serialize)]
/// struct Upper {
///     times: usize,
/// }
///
/// impl Tool for Upper {
///     #[runnable(capture_self)]
///     async fn run(&self, input: &str) -> String {
///         self.shout(input).collect()
///     }
/// }
///
/// #[runnable]
/// impl Upper {
///     fn shout(&self, input: &str) -> impl Iterator<Item = String> {
///         std::iter::repeat_n(input.to_uppercase(), self.times)
///     }
///
///     #[runnable]
///     fn asks_for_itself(&self) -> usize {
///         self.times
///     }
/// }
///
/// # futures::executor::block_on(async {
/// let tool = Upper { times: 2 };
/// assert_eq!(tool.twice("a").await, "AAAA");
/// assert_eq!(tool.run("a").collect().await.input.as_json(), r#"{"self":{"times":2},"input":"a"}"#);
/// assert_eq!(tool.asks_for_itself(), 2);
/// # });
/// ```
///
/// Of those that yield, see [`yield_!`](macro@yield_).
#[proc_macro_attribute]
pub fn runnable(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand(args.into(), item.into()).into()
}

/// Yields an item, in the body of a function that says `#[runnable(yields = T)]` or `try_yields = T`.
///
/// It waits until the item was taken and the next one is asked for. It may stand in loops, in blocks and
/// closures of the body that are `async`, and in the branches of a `join!` or a `select!`: those that
/// yield at once do so in turn.
///
/// # Cancellation
///
/// Dropped before the item was taken, as in a `select!` of which another branch is ready first, it has
/// yielded nothing.
///
/// # Panics
///
/// If nobody can receive the item: in a task of its own, or when the generator has ended. An executor
/// that blocks the thread of an `async` generator on it waits for ever, as on all that waits for others.
///
/// # Examples
///
/// ```
/// use futures::StreamExt;
/// use timbal::{runnable, yield_};
///
/// #[runnable(yields = &str)]
/// async fn words(text: &str) -> usize {
///     let mut count = 0;
///     for word in text.split(' ') {
///         yield_!(word);
///         count += 1;
///     }
///     count
/// }
///
/// #[runnable(try_yields = u8)]
/// fn parsed(text: &str) -> Result<(), std::num::ParseIntError> {
///     for word in text.split(' ') {
///         yield_!(word.parse()?); // an error is the last item
///     }
///     Ok(())
/// }
///
/// # futures::executor::block_on(async {
/// assert_eq!(words("to be").collect::<Vec<_>>().await, ["to", "be"]);
/// assert_eq!(words("to be").returned().await, 2);
///
/// let mut words = std::pin::pin!(words("to be"));
/// while let Some(word) = words.next().await {
///     println!("{word}");
/// }
/// assert_eq!(words.returned().await, 2); // as `use timbal::yield_` has this method for pinned ones too
///
/// let items: Vec<_> = parsed("1 x 3").collect();
/// assert!(matches!(items[..], [Ok(1), Err(_)]));
/// assert_eq!(parsed("1 2").returned(), Ok(()));
/// # });
/// ```
#[proc_macro]
pub fn yield_(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    yields::expand(tokens.into(), proc_macro2::Span::call_site()).into()
}

fn expand(args: TokenStream, tokens: TokenStream) -> TokenStream {
    if Block::is_here(&tokens) {
        return expand_block(args, tokens);
    }
    let mut item = match syn::parse2::<Item>(tokens.clone()) {
        Ok(item) => item,
        Err(error) => return expand::fallback(tokens, &error),
    };
    let mut errors = Errors::default();
    let args = Args::parse(args, &mut errors);
    if args.boxed.is_some() {
        lifetimes::name(&mut item.signature);
    }
    let runnable = Runnable::new(&args, &item, &mut errors);
    check::check(&runnable, &mut errors);
    match errors.finish() {
        Ok(()) => expand::expand(&runnable),
        Err(error) => expand::fallback(yields::quiet(tokens), &error),
    }
}

fn expand_block(args: TokenStream, tokens: TokenStream) -> TokenStream {
    let block = match Block::parse(tokens.clone()) {
        Ok(block) => block,
        Err(error) => return expand::fallback(tokens, &error),
    };
    let mut errors = Errors::default();
    let args = Args::parse(args, &mut errors);
    block::check(&args, &mut errors);
    match errors.finish() {
        Ok(()) => block.expand(&args),
        Err(error) => expand::fallback(tokens, &error),
    }
}
