//! Functions that are not `async`: they run where they are called, and are recorded there.

use std::cell::RefCell;
use std::panic::catch_unwind;

use expect_test::{Expect, expect};
use futures::executor::block_on;
use timbal::{Timbal, runnable};
use timbal_tests::{Heard, check_inside, poll_and_drop, read_all};

#[runnable]
fn double(n: u64) -> u64 {
    n * 2
}

#[runnable]
fn sum_of_doubles((a, b): (u64, u64)) -> u64 {
    double(a) + double(b)
}

#[runnable]
fn parse(text: &str) -> Result<u64, std::num::ParseIntError> {
    text.parse()
}

#[runnable]
fn divide(a: u64, b: u64) -> u64 {
    a.checked_div(b).unwrap_or_else(|| panic!("{a} cannot be divided by zero"))
}

#[runnable]
fn log(#[redact] _text: &str) {}

#[runnable]
fn longest<'a>(a: &'a str, b: &'a str) -> &'a str {
    if a.len() < b.len() {
        return b;
    }
    a
}

#[runnable]
fn first(items: &mut Vec<u8>) -> Option<&mut u8> {
    items.first_mut()
}

#[runnable(skip_output)]
fn adder(n: u8) -> impl Fn(u8) -> u8 {
    move |m| n + m
}

#[runnable]
fn count(to: u64) -> u64 {
    (0..to).filter(|n| timbal::try_emit(n)).count() as u64
}

/// What a call of these functions says, in a call of its own.
fn check<T>(body: impl FnOnce() -> T, expected: Expect) {
    check_inside(async { body() }, expected);
}

#[test]
fn they_give_what_they_gave() {
    assert_eq!(sum_of_doubles((1, 2)), 6);
    assert_eq!(longest("a", &String::from("bc")), "bc");
    assert_eq!(adder(1)(2), 3);
    let mut items = vec![1, 2];
    *first(&mut items).unwrap() = 3;
    assert_eq!(items, [3, 2]);
    let as_pointer: fn(u64) -> u64 = double;
    assert_eq!(as_pointer(1), 2);
}

#[test]
fn they_are_calls_of_the_call_around_them() {
    check(
        || sum_of_doubles((1, 2)),
        expect![[r#"
        START  in
        START  in.sum_of_doubles
        START  in.sum_of_doubles.double
        OUTPUT in.sum_of_doubles.double {"n":1} -> 2
        START  in.sum_of_doubles.double
        OUTPUT in.sum_of_doubles.double {"n":2} -> 4
        OUTPUT in.sum_of_doubles {"a":1,"b":2} -> 6
        OUTPUT in null -> null
    "#]],
    );
}

#[test]
fn they_may_give_nothing() {
    check(
        || log("text"),
        expect![[r#"
        START  in
        START  in.log
        OUTPUT in.log {} -> null
        OUTPUT in null -> null
    "#]],
    );
}

#[test]
fn their_errors_are_errors() {
    check(
        || parse("one"),
        expect![[r#"
        START  in
        START  in.parse
        OUTPUT in.parse {"text":"one"} !! std::num::ParseIntError: invalid digit found in string
        OUTPUT in null -> null
    "#]],
    );
}

#[test]
fn their_panics_go_on() {
    check(
        || catch_unwind(|| divide(1, 0)).unwrap_err(),
        expect![[r#"
        START  in
        START  in.divide
        OUTPUT in.divide {"a":1,"b":0} !! panic: 1 cannot be divided by zero
        OUTPUT in null -> null
    "#]],
    );
    assert!(catch_unwind(|| divide(1, 0)).is_err());
}

#[test]
fn what_they_emit_are_chunks() {
    check(
        || count(2),
        expect![[r#"
        START  in
        START  in.count
        CHUNK  in.count 0
        CHUNK  in.count 1
        OUTPUT in.count {"to":2} -> 2
        OUTPUT in null -> null
    "#]],
    );
}

/// The reader cannot read while the function runs, so only as many chunks as there are places come.
#[test]
fn they_never_wait_for_a_reader() {
    let events = block_on(read_all(timbal::call!("in", async { count(5_000) }).events()));
    let Some(timbal::Event::Output(done)) = events.iter().rev().nth(1) else { panic!() };
    assert_eq!(events.len(), 1_024 + 2);
    assert_eq!(done.output, 1_022);
    assert_eq!(done.metadata["chunks_left_out"], 5_000 - 1_022);
}

#[test]
fn subscribers_hear_all_that_they_emit() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let call = timbal::call!("in", async { count(5_000) });
    assert_eq!(poll_and_drop(1, call.recorded_by(&timbal)), Some(5_000));
    assert_eq!(heard.show().lines().count(), 5_004);
}

#[test]
fn they_are_alone_where_nobody_hears() {
    #[runnable(skip_output)]
    fn current() -> Option<timbal::Current> {
        timbal::current()
    }
    assert!(current().is_none());
    assert!(timbal::try_emit(1));
}

mod parameters {
    use timbal_tests::drops::{self, Noted};

    use super::*;

    macro_rules! both {
        ($plain:ident, $observed:ident, $parameters:tt $body:block) => {
            #[allow(unused_variables, reason = "what is not used is dropped too")]
            fn $plain $parameters -> usize $body

            #[allow(unused_variables, reason = "what is not used is dropped too")]
            #[runnable]
            fn $observed $parameters -> usize $body
        };
    }

    both!(plain, observed, (_a: Noted, b: Noted, (c, _): (Noted, Noted), _: Noted) {
        let local = Noted('l');
        Noted('t').0.len_utf8()
    });

    both!(plain_early, observed_early, (a: Noted, (b, _): (Noted, Noted), c: Noted, _: Noted) {
        drop(b);
        if a.0 == 'a' {
            return 1;
        }
        2
    });

    #[test]
    fn are_dropped_as_without_the_attribute() {
        let n = Noted;
        plain(n('a'), n('b'), (n('c'), n('d')), n('e'));
        let expected = drops::take();
        let observe = || observed(n('a'), n('b'), (n('c'), n('d')), n('e'));
        observe();
        assert_eq!(drops::take(), expected);
        block_on(timbal::call!("in", async { observe() }).collect());
        assert_eq!(drops::take(), expected);
        plain_early(n('a'), (n('b'), n('c')), n('d'), n('e'));
        let expected = drops::take();
        observed_early(n('a'), (n('b'), n('c')), n('d'), n('e'));
        assert_eq!(drops::take(), expected);
    }
}

#[test]
fn a_call_made_while_its_thread_ends_is_recorded() {
    struct Last(Option<Timbal>);
    impl Drop for Last {
        fn drop(&mut self) {
            let timbal = self.0.as_ref().unwrap();
            let call = timbal::call!("last", async { twice(4) }).recorded_by(timbal);
            assert_eq!(poll_and_drop(1, call), Some(8));
        }
    }
    thread_local!(static LAST: RefCell<Last> = const { RefCell::new(Last(None)) });

    #[runnable]
    fn twice(n: u64) -> u64 {
        n * 2
    }

    let timbal = Timbal::builder().build();
    let own = timbal.clone();
    let thread = std::thread::spawn(move || {
        LAST.with(|last| last.borrow_mut().0 = Some(own.clone()));
        // What this thread uses from here on is dropped before that.
        let call = timbal::call!("first", async { twice(3) }).recorded_by(&own);
        assert_eq!(block_on(call), 6);
    });
    thread.join().unwrap();
    block_on(timbal.flush()).unwrap();
    let health = timbal.health();
    assert_eq!((health.written, health.lost), (4, 0));
}
