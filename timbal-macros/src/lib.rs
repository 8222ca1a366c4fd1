//! `#[runnable]`, the attribute of timbal: it makes a plain function observable.
//!
//! What `expand` calls, in that order, is the crate: `item` and `args` are parsed, `model` says them
//! in our words, `check` finds what is wrong, and `expand` writes the code. Users name the crate
//! `timbal`, not this one.

mod args;
mod block;
mod check;
mod errors;
mod expand;
mod item;
mod lifetimes;
mod model;
mod shape;
#[cfg(test)]
mod tests;

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
/// | a boxed future, stream or iterator: `Pin<Box<dyn Future<Output = T>>>`, `BoxStream<'_, T>` | that type: it is recorded as what it is |
/// | `#[runnable(blocking)] fn f(..) -> T` | a `Call` that runs on a thread which may be blocked |
/// | `fn f(..) -> T` | `T`: it runs when it would have run, and is recorded inside |
///
/// An alias of a boxed type is not seen as one. What a function does before it has made what it boxes,
/// and the calls that it makes there, belong to its caller; nothing is said of the call until what it
/// made is polled.
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
/// - `fold = "concat"`, `"list"` or `"none"`: what the items come to, if not what their type says.
///   `fold = path`: a `fn(&mut A, &T)` that adds each item, of a `Result` its `Ok`, to an output of its
///   own, which begins as `A::default()`.
/// - `usage = path`: a `fn(&T) -> impl IntoIterator<Item = (&str, u64)>` that takes the usage from
///   the output or from each item, of a `Result` from its `Ok`.
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
#[proc_macro_attribute]
pub fn runnable(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand(args.into(), item.into()).into()
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
        Err(error) => expand::fallback(tokens, &error),
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
