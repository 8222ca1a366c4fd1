//! Arguments are borrowed as long as the signature says, and no longer.

use expect_test::{Expect, expect};
use futures::executor::block_on;
use futures::{Stream, StreamExt, stream};
use timbal::runnable;
use timbal_tests::{read_all, show};

struct Words(String);

impl Words {
    #[runnable]
    fn starting<'a>(&'a self, start: &str) -> impl Iterator<Item = &'a str> + 'a {
        let start = start.to_owned();
        self.0.split(' ').filter(move |word| word.starts_with(&start))
    }

    #[runnable]
    fn ending(&self, end: &str) -> impl Stream<Item = &str> + Send + use<'_> {
        let end = end.to_owned();
        stream::iter(self.0.split(' ').filter(move |word| word.ends_with(&end)))
    }

    #[runnable]
    async fn both(&self, start: &str, end: &str) -> impl Stream<Item = String> + use<> {
        let ending: Vec<_> = self.ending(end).collect().await;
        let both = self.starting(start).filter(|word| ending.contains(word));
        stream::iter(both.map(str::to_owned).collect::<Vec<_>>())
    }
}

#[runnable]
fn length(text: &str) -> impl Future<Output = usize> + Send + use<> {
    let length = text.len();
    async move { length }
}

#[runnable(opaque)]
fn hidden(text: &str) -> impl Future<Output = usize> + 'static {
    length(text)
}

#[runnable]
fn checked(text: &str, _by: &impl Fn(&str) -> bool) -> impl Future<Output = usize> + 'static {
    length(text)
}

#[runnable]
fn everything<'a>(a: &'a str, b: &'a str) -> impl Future<Output = usize> + 'a {
    let length = length(b);
    async move { a.len() + length.await }
}

fn text() -> String {
    "apple adder beta".to_owned()
}

#[test]
fn what_is_not_borrowed_can_go() {
    let words = Words(text());
    let starting = words.starting(&String::from("a"));
    let ending = words.ending(&String::from("r"));
    assert_eq!(starting.collect::<Vec<_>>(), ["apple", "adder"]);
    assert_eq!(block_on(ending.collect::<Vec<_>>()), ["adder"]);
    assert_eq!(block_on(length(&text())), 16);
    assert_eq!(block_on(hidden(&text())), 16);
    assert_eq!(block_on(checked(&text(), &str::is_empty)), 16);
}

#[test]
fn what_an_async_fn_gives_borrows_what_it_says() {
    let both = block_on(Words(text()).both(&String::from("a"), &String::from("r")));
    assert_eq!(block_on(both.collect::<Vec<_>>()), ["adder"]);
}

#[test]
fn what_is_static_can_go_elsewhere() {
    fn is_static(_: impl Send + 'static) {}
    is_static(length(&text()));
}

async fn check(body: impl Future, expected: Expect) {
    let call = timbal::call!("in", skip_output, body);
    expected.assert_eq(&show(&read_all(call.events()).await));
}

/// Its body runs when it is called, and is not in the call yet.
#[test]
fn what_borrows_less_is_made_by_the_caller() {
    let words = Words(text());
    block_on(check(
        async {
            let hidden = hidden(&text());
            drop(words.starting("b"));
            hidden.await;
            words.ending(&text()).count().await
        },
        expect![[r#"
            START  in
            START  in.hidden
            START  in.length
            OUTPUT in.length {"text":"apple adder beta"} -> 16
            OUTPUT in.hidden {"text":"apple adder beta"} -> 16
            START  in.ending
            OUTPUT in.ending {"end":"apple adder beta"} -> null
            OUTPUT in null -> null
        "#]],
    ));
}

#[test]
fn what_borrows_all_is_made_in_its_call() {
    block_on(check(
        async { everything("a", "b").await },
        expect![[r#"
            START  in
            START  in.everything
            START  in.everything.length
            OUTPUT in.everything.length {"text":"b"} -> 1
            OUTPUT in.everything {"a":"a","b":"b"} -> 2
            OUTPUT in null -> null
        "#]],
    ));
}
