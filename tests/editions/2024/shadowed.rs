//! Where the names that code of ours could use mean something else, or nothing.

#![no_implicit_prelude]
#![allow(dead_code, non_camel_case_types, reason = "the names are in the way, and no more")]

use ::futures::Stream;
use ::std::future::Future;
use ::std::iter::Iterator;
use ::std::string::ToString;
use ::timbal::runnable;

mod timbal {}
mod core {}
mod std {}
mod serde {}
struct Call;
struct StreamCall;
struct IterCall;
struct Option;
struct Result;
struct String;
struct Vec;
struct Box;
struct Pin;
struct Send;
struct Drop;
struct Clone;
struct Default;
struct Fn;
struct FnOnce;
struct From;
struct Into;
struct Some;
struct None;
struct Ok;
struct Err;
struct u8;
struct str;
struct usize;
struct bool;

fn drop() {}
fn call() {}
fn value() {}
fn panic() {}

type Byte = ::std::primitive::u8;
type Text = ::std::string::String;
type Outcome<T> = ::std::result::Result<T, Text>;

#[runnable]
async fn awaited(name: Text, n: Byte) -> Outcome<Byte> {
    if n == 0 { Outcome::Err(name) } else { Outcome::Ok(n) }
}

#[runnable]
fn plain(n: Byte) -> Byte {
    n + 1
}

#[runnable]
fn future(n: Byte) -> impl Future<Output = Byte> {
    async move { plain(n) }
}

#[runnable]
fn numbers(upto: Byte) -> impl Iterator<Item = Byte> {
    0..upto
}

#[runnable]
fn letters(text: Text) -> impl Stream<Item = ::std::primitive::char> {
    ::futures::stream::iter(::std::iter::Iterator::collect::<::std::vec::Vec<_>>(text.chars()))
}

struct Holder;

#[runnable]
impl Holder {
    async fn plain(&self) {}

    #[runnable(boxed, skip_output, metadata(a = 1))]
    async fn skipped(&self) -> Self {
        Self
    }
}

/// The input and output of each.
pub(crate) async fn outputs() -> [Text; 4] {
    let show = |done: ::timbal::OutputEvent| {
        let parts = [done.input.to_string(), done.output.to_string()];
        parts.join(" -> ")
    };
    Holder.plain().await;
    Holder.skipped().await;
    [
        show(awaited("a".to_string(), 1).collect().await),
        show(future(2).collect().await),
        show(numbers(2).events().collect().await),
        show(letters("ab".to_string()).events().collect().await),
    ]
}
