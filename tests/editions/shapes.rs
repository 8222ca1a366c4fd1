//! What each edition compiles: a function of every shape, and what is said of it.

// Not all of it is in the prelude of every edition.
use std::convert::TryFrom;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

use futures::executor::block_on;
use futures::future::BoxFuture;
use futures::{Stream, StreamExt, stream};

use crate::observed::{self, Event, runnable};

#[runnable(crate = crate::observed)]
async fn awaited(text: &str, (from, _): (usize, u8)) -> Option<&str> {
    text.get(from..)
}

#[runnable(crate = crate::observed)]
async fn failing(n: i64) -> Result<u8, std::num::TryFromIntError> {
    let n = u8::try_from(n)?;
    Ok(n)
}

#[runnable(crate = crate::observed, skip_input)]
async fn locks(shared: Mutex<Vec<u8>>) -> usize {
    shared.lock().unwrap().len()
}

#[runnable(crate = crate::observed)]
fn value(text: &str) -> usize {
    text.len()
}

#[runnable(crate = crate::observed)]
fn future<'a>(text: &'a str) -> impl Future<Output = usize> + 'a {
    let length = value(text);
    async move { length }
}

#[runnable(crate = crate::observed)]
fn boxed<'a>(text: &'a str, _by: &u8) -> BoxFuture<'a, usize> {
    Box::pin(async move { text.len() })
}

#[runnable(crate = crate::observed)]
fn items(text: &str) -> impl Stream<Item = &str> + '_ {
    stream::iter(text.split(' '))
}

#[runnable(crate = crate::observed)]
async fn later(to: u8) -> impl Stream<Item = u8> {
    stream::iter(0..to)
}

#[runnable(crate = crate::observed)]
fn numbers(upto: &u8) -> impl DoubleEndedIterator<Item = u8> + use<> {
    0..*upto
}

#[runnable(crate = crate::observed)]
fn boxed_items<'a>(text: &'a str) -> Box<dyn Iterator<Item = char> + 'a> {
    Box::new(text.chars())
}

#[runnable(crate = crate::observed, boxed)]
async fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n * factorial(n - 1).await }
}

trait Shout {
    #[runnable(crate = crate::observed, opaque)]
    fn shout(&self) -> impl Future<Output = String> {
        async { String::from("!") }
    }

    fn boxed<'a>(&'a self, text: &'a str) -> Pin<Box<dyn Future<Output = String> + Send + 'a>>;
}

struct Site {
    name: String,
}

#[runnable(crate = crate::observed)]
impl Shout for Site {
    async fn shout(&self) -> String {
        self.name.to_uppercase()
    }

    fn boxed<'a>(&'a self, text: &'a str) -> Pin<Box<dyn Future<Output = String> + Send + 'a>> {
        Box::pin(async move { format!("{}{}", self.name, text) })
    }
}

impl Site {
    #[runnable(crate = crate::observed)]
    async fn rename(mut self, name: String) -> String {
        std::mem::replace(&mut self.name, name)
    }
}

async fn everything() {
    let site = Site { name: "a".to_string() };
    assert_eq!(awaited("text", (1, 2)).await, Some("ext"));
    assert!(failing(300).await.is_err());
    assert_eq!(locks(vec![1].into()).await, 1);
    assert_eq!(future("text").await + boxed("text", &1).await, 8);
    let mut items = items("a b");
    assert_eq!(items.next().await, Some("a"));
    assert_eq!(items.collect::<Vec<_>>().await, ["b"]);
    assert_eq!(later(2).await.collect::<Vec<_>>().await, [0, 1]);
    assert_eq!(numbers(&{ 3 }).rev().collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(boxed_items("ab").collect::<String>(), "ab");
    assert_eq!(factorial(2).await, 2);
    assert_eq!(site.shout().await + &site.boxed("b").await, "Aab");
    assert_eq!(site.rename("b".to_string()).await, "a");
}

/// What is said of calls of all of them.
pub(crate) fn transcript() -> String {
    let call = observed::call!("all", everything());
    let events: Vec<Event> = block_on(StreamExt::collect(call.events()));
    let mut text = String::new();
    for event in events {
        if let Event::Output(done) = event {
            let output = match &done.error {
                Some(error) => error.to_string(),
                None => done.output.to_string(),
            };
            text += &format!("{} {} -> {}\n", done.path, done.input, output);
        }
    }
    text
}

/// The same in every edition.
pub(crate) const EXPECTED: &str = r#"all.awaited {"text":"text","from":1} -> "ext"
all.failing {"n":300} -> std::num::TryFromIntError: out of range integral type conversion attempted
all.locks null -> 1
all.future.value {"text":"text"} -> 4
all.future {"text":"text"} -> 4
all.boxed {"text":"text"} -> 4
all.items {"text":"a b"} -> "ab"
all.later {"to":2} -> [0,1]
all.numbers {"upto":3} -> [2,1,0]
all.boxed_items {"text":"ab"} -> "ab"
all.factorial.factorial.factorial {"n":0} -> 1
all.factorial.factorial {"n":1} -> 1
all.factorial {"n":2} -> 2
all.shout {} -> "A"
all.boxed {"text":"b"} -> "ab"
all.rename {"name":"b"} -> "a"
all null -> null
"#;
