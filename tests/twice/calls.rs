// What people do with functions. It is included, so this is no `//!`.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::{Debug, Write};
use std::pin::{Pin, pin};
use std::time::Duration;

use futures::future::{self, BoxFuture, Either, Shared};
use futures::stream::{self, BoxStream, FuturesOrdered, FuturesUnordered};
use futures::{FutureExt, Stream, StreamExt, TryFutureExt, TryStreamExt};

#[runnable]
async fn fetch(n: u64) -> u64 {
    tokio::task::yield_now().await;
    n + 1
}

#[runnable]
async fn parse(text: &str) -> Result<u64, std::num::ParseIntError> {
    Ok(text.trim().parse::<u64>()? + fetch(0).await)
}

#[runnable]
async fn checked(text: &str) -> Result<u64, Box<dyn Error + Send + Sync>> {
    match parse(text).await? {
        0 => Err("zero".into()),
        n => Ok(n),
    }
}

#[runnable]
async fn never() -> u64 {
    future::pending().await
}

#[runnable]
async fn longest<'a>(a: &'a str, b: &'a str) -> &'a str {
    if a.len() < b.len() { b } else { a }
}

#[runnable(skip_input)]
async fn retry<F, Fut, T, E>(mut make: F) -> Result<T, E>
where
    F: FnMut(u8) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    T: serde::Serialize,
{
    for n in 0..2 {
        if let Ok(value) = make(n).await {
            return Ok(value);
        }
    }
    make(2).await
}

#[runnable]
fn delayed(n: u64) -> impl Future<Output = u64> + Send {
    fetch(n).map(|n| n * 2)
}

#[runnable]
fn boxed(n: u64) -> BoxFuture<'static, u64> {
    async move { if n == 0 { 0 } else { boxed(n - 1).await + n } }.boxed()
}

#[runnable]
fn double(n: u64) -> u64 {
    n * 2
}

#[runnable]
fn is_even(n: &u64) -> bool {
    n.is_multiple_of(2)
}

#[runnable]
fn divide(a: u64, b: u64) -> Option<u64> {
    Some(a.checked_div(b)? + 1)
}

#[runnable]
fn count(upto: u64) -> impl Stream<Item = u64> {
    stream::iter(0..upto)
}

#[runnable]
fn slowly(upto: u64) -> impl Stream<Item = u64> + Send {
    stream::iter(0..upto).then(fetch)
}

#[runnable]
async fn lines(text: &str) -> impl Stream<Item = Result<u64, std::num::ParseIntError>> {
    let lines: Vec<_> = text.lines().map(str::parse).collect();
    fetch(0).await;
    stream::iter(lines)
}

#[runnable]
fn letters(text: &str) -> BoxStream<'_, char> {
    stream::iter(text.chars()).boxed()
}

#[runnable]
fn numbers(from: u64, upto: u64) -> impl DoubleEndedIterator<Item = u64> + ExactSizeIterator {
    (from..upto).collect::<Vec<_>>().into_iter()
}

#[runnable]
fn words<'a>(text: &'a str, by: &str) -> impl Iterator<Item = &'a str> + 'a {
    let by = by.to_owned();
    text.split(' ').filter(move |word| *word != by)
}

#[runnable]
fn digits(mut n: u64) -> Box<dyn Iterator<Item = u64>> {
    Box::new(std::iter::from_fn(move || {
        let digit = (n > 0).then_some(n % 10);
        n /= 10;
        digit
    }))
}

trait Tool {
    fn name(&self) -> String;
    fn run<'a>(&'a self, input: &'a str) -> BoxFuture<'a, usize>;
}

struct Length;
struct Words(usize);

#[runnable]
impl Tool for Length {
    #[runnable]
    fn name(&self) -> String {
        "length".to_owned()
    }

    fn run<'a>(&'a self, input: &'a str) -> BoxFuture<'a, usize> {
        Box::pin(async move { input.len() })
    }
}

#[runnable]
impl Tool for Words {
    #[runnable]
    fn name(&self) -> String {
        "words".to_owned()
    }

    fn run<'a>(&'a self, input: &'a str) -> BoxFuture<'a, usize> {
        async move { words(input, "").count().await_ready().await + self.0 }.boxed()
    }
}

trait AwaitReady: Sized {
    #[runnable(skip_output, opaque)]
    fn await_ready(self) -> impl Future<Output = Self> {
        future::ready(self)
    }
}

impl AwaitReady for usize {}

#[derive(Clone, Default)]
struct Counter {
    count: u64,
}

impl Counter {
    #[runnable]
    async fn add(&mut self, n: u64) -> u64 {
        self.count += fetch(n).await;
        self.count
    }

    #[runnable(skip_output)]
    fn with(mut self, n: u64) -> Self {
        self.count = n;
        self
    }

    #[runnable]
    fn below(&self) -> impl Iterator<Item = u64> + '_ {
        0..self.count
    }
}

macro_rules! say {
    ($text:ident, $($value:expr),+ $(,)?) => { { $(writeln!($text, "{:?}", $value).unwrap();)+ } };
}

/// All that is done with them, and what comes of it.
pub(crate) async fn transcript() -> String {
    let mut text = String::new();
    together(&mut text).await;
    tasks(&mut text).await;
    futures_as_values(&mut text).await;
    streams(&mut text).await;
    iterators(&mut text);
    methods(&mut text).await;
    text
}

async fn together(text: &mut String) {
    say!(text, futures::join!(fetch(1), parse("2"), longest("a", "bc")));
    say!(text, tokio::join!(fetch(1), delayed(2), boxed(3)));
    say!(
        text,
        futures::try_join!(parse("1"), parse(" 2 ")),
        tokio::try_join!(parse("1"), parse("x"))
    );
    say!(text, future::join_all((0..3).map(fetch)).await);
    say!(text, future::try_join_all(["1", "2"].map(parse)).await);
    say!(text, tokio::select! { n = never() => n, n = fetch(1) => n });
    let (first, second) = (pin!(never()), pin!(fetch(1)));
    match future::select(first, second).await {
        Either::Left(_) => unreachable!(),
        Either::Right((n, _)) => say!(text, n),
    }
    let (mut fetched, mut never) = (pin!(fetch(2).fuse()), pin!(never().fuse()));
    futures::select! { n = fetched => say!(text, n), n = never => say!(text, n) }
    say!(text, tokio::time::timeout(Duration::from_secs(1), delayed(1)).await.is_ok());
    say!(text, tokio::time::timeout(Duration::from_secs(1), self::never()).await.is_err());
    say!(text, fetch(1).now_or_never(), future::ready(1).then(fetch).await);
    say!(text, retry(|n| async move { parse(["x", "y", "1"][usize::from(n)]).await }).await);
}

async fn tasks(text: &mut String) {
    say!(text, tokio::spawn(fetch(1)).await.unwrap(), tokio::spawn(parse("2")).await.unwrap());
    say!(text, tokio::task::spawn_local(delayed(1)).await.unwrap());
    say!(text, tokio::task::spawn_blocking(|| double(2)).await.unwrap());
    say!(text, std::thread::spawn(|| futures::executor::block_on(boxed(2))).join().unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(fetch(5));
    tasks.spawn(boxed(3));
    let mut done = tasks.join_all().await;
    done.sort_unstable();
    say!(text, done, tokio::spawn(slowly(3).collect::<Vec<_>>()).await.unwrap());
    let task = tokio::spawn(never());
    task.abort();
    say!(text, task.await.unwrap_err().is_cancelled());
}

async fn futures_as_values(text: &mut String) {
    let boxes: Vec<Pin<Box<dyn Future<Output = u64> + Send>>> =
        vec![Box::pin(fetch(1)), Box::pin(delayed(2)), boxed(3), fetch(4).boxed()];
    say!(text, future::join_all(boxes).await);
    let local: Pin<Box<dyn Future<Output = u64>>> = fetch(1).boxed_local();
    let shared: Shared<_> = fetch(7).shared();
    say!(text, local.await, shared.clone().await + shared.await);
    let make: Box<dyn Fn(u64) -> BoxFuture<'static, u64>> = Box::new(|n| Box::pin(fetch(n)));
    let pointer: fn(u64) -> BoxFuture<'static, u64> = boxed;
    say!(
        text,
        make(1).await,
        pointer(2).await,
        checked("0 ").await.unwrap(),
        checked("").await.is_err()
    );
    let either = if text.is_empty() { fetch(1).left_future() } else { delayed(1).right_future() };
    say!(
        text,
        either.await,
        parse("1").map_ok(|n| n * 3).await,
        parse("").or_else(|_| parse("4")).await
    );
    let mut kept = Some(Box::pin(fetch(1)));
    say!(text, kept.as_mut().unwrap().await);
    let mut pinned = pin!(fetch(9));
    say!(text, future::poll_fn(|cx| pinned.as_mut().poll(cx)).await);
    let mut queue: FuturesOrdered<_> = [3, 1, 2].into_iter().map(fetch).collect();
    say!(text, queue.next().await, queue.collect::<Vec<_>>().await);
    let mut pool: FuturesUnordered<_> = (0..3).map(fetch).collect();
    let mut sum = 0;
    while let Some(n) = pool.next().await {
        sum += n;
    }
    say!(text, sum, called(async || fetch(1).await).await);
}

async fn called(make: impl AsyncFn() -> u64) -> u64 {
    make().await
}

async fn streams(text: &mut String) {
    let mut sorted: Vec<u64> = stream::iter(0..4).map(fetch).buffer_unordered(2).collect().await;
    sorted.sort_unstable();
    say!(text, sorted, count(3).collect::<Vec<_>>().await, slowly(3).collect::<Vec<_>>().await);
    say!(
        text,
        count(9).filter(|n| future::ready(is_even(n))).skip(1).take(2).collect::<Vec<_>>().await
    );
    say!(text, count(4).chunks(3).collect::<Vec<_>>().await, count(3).enumerate().count().await);
    say!(
        text,
        count(5).fold(0, |sum, n| future::ready(sum + n)).await,
        count(2).then(fetch).boxed().collect::<Vec<_>>().await
    );
    say!(
        text,
        lines("1\n2").await.try_collect::<Vec<_>>().await,
        lines("1\nx").await.try_fold(0, |sum, n| async move { Ok(sum + n) }).await
    );
    say!(
        text,
        count(3).zip(letters("abc")).collect::<HashMap<_, _>>().await.len(),
        letters("ab").collect::<String>().await
    );
    let mut unpinned = count(3);
    say!(
        text,
        unpinned.next().await,
        unpinned.by_ref().take(1).collect::<Vec<_>>().await,
        unpinned.size_hint(),
        unpinned.next().await
    );
    let mut pinned = pin!(slowly(2).peekable());
    say!(text, pinned.as_mut().peek().await, pinned.next().await, pinned.select_next_some().await);
    let mut merged: Vec<_> = stream::select(count(2), slowly(2)).collect().await;
    merged.sort_unstable();
    let mut all: Vec<u64> =
        stream::select_all([count(2).boxed(), slowly(3).boxed()]).collect().await;
    all.sort_unstable();
    say!(text, merged, all, slowly(2).flat_map(count).collect::<Vec<_>>().await);
    let objects: [Pin<Box<dyn Stream<Item = u64> + Send>>; 2] =
        [Box::pin(count(1)), Box::pin(slowly(2))];
    say!(text, stream::iter(objects).flatten().collect::<Vec<_>>().await);
    let mut sum = 0;
    count(4)
        .for_each_concurrent(2, |n| {
            sum += n;
            async {}
        })
        .await;
    say!(
        text,
        sum,
        slowly(3).ready_chunks(2).count().await > 0,
        tokio::time::timeout(Duration::from_secs(1), slowly(2).collect::<Vec<_>>()).await
    );
}

fn iterators(text: &mut String) {
    say!(
        text,
        (0..3).map(double).collect::<Vec<_>>(),
        (0..4).filter(is_even).count(),
        [1, 2].map(double)
    );
    say!(
        text,
        numbers(0, 3).collect::<Vec<_>>(),
        numbers(0, 3).rev().collect::<Vec<_>>(),
        numbers(1, 4).len()
    );
    say!(
        text,
        numbers(1, 4).sum::<u64>(),
        numbers(1, 4).map(double).max(),
        numbers(0, 9).step_by(4).count()
    );
    say!(
        text,
        words("a b a", "a").chain(words("c", "")).collect::<Vec<_>>().join("+"),
        digits(123).collect::<Vec<_>>()
    );
    let (even, odd): (Vec<u64>, Vec<u64>) = numbers(0, 5).partition(is_even);
    say!(text, even, odd, numbers(0, 3).zip(digits(45)).unzip::<u64, u64, Vec<_>, Vec<_>>());
    let mut numbers_ = numbers(0, 4).peekable();
    say!(text, numbers_.peek(), numbers_.next(), numbers_.next_back(), numbers_.size_hint());
    let objects: Vec<Box<dyn Iterator<Item = u64>>> = vec![Box::new(numbers(0, 2)), digits(7)];
    say!(text, objects.into_iter().flatten().collect::<Vec<_>>());
    let mut sum = 0;
    for n in numbers(1, 5) {
        if n == 3 {
            continue;
        }
        sum += n;
    }
    let functions: [fn(u64) -> u64; 1] = [double];
    let boxed: Box<dyn Fn(u64, u64) -> Option<u64>> = Box::new(divide);
    say!(text, sum, functions[0](4), boxed(4, 2), boxed(1, 0), sorted([3, 1], double));
    say!(
        text,
        (1..3).map(|n| divide(4, n)).collect::<Option<Vec<_>>>(),
        std::panic::catch_unwind(|| double(u64::MAX)).is_err()
    );
}

fn sorted<K: Ord + Debug>(mut items: [u64; 2], key: impl Fn(u64) -> K) -> [u64; 2] {
    items.sort_by_key(|n| key(*n));
    items
}

async fn methods(text: &mut String) {
    let tools: Vec<Box<dyn Tool>> = vec![Box::new(Length), Box::new(Words(1))];
    for tool in &tools {
        say!(text, tool.name(), tool.run("two words").await);
    }
    let mut counter = Counter::default();
    say!(text, counter.add(1).await, counter.add(2).await, counter.below().collect::<Vec<_>>());
    let counters = [1, 2].map(|n| counter.clone().with(n));
    say!(text, counters.iter().map(Counter::below).map(Iterator::count).sum::<usize>());
    say!(text, stream::iter(&tools).then(|tool| tool.run("abc")).collect::<Vec<_>>().await);
}
