//! What `#[runnable]` keeps of a function, and what it captures of it.

use expect_test::{Expect, expect};
use futures::executor::block_on;
use timbal::{Call, runnable};

/// A call's path, input and output, and its error if it failed.
fn check<F: Future>(call: Call<F>, expected: Expect) {
    let done = block_on(call.collect());
    let error = done.error.map(|error| format!(" !! {error}")).unwrap_or_default();
    expected.assert_eq(&format!("{} {} -> {}{error}", done.path, done.input, done.output));
}

mod parameters {
    use std::fmt::Display;
    use std::sync::{Arc, Mutex};

    use serde::Serialize;

    use super::*;

    struct Db;

    #[derive(Serialize)]
    struct Point {
        x: u8,
        y: u8,
    }

    #[runnable]
    async fn greet(name: String, #[skip] db: &Db, #[redact] key: &str, _times: u8) -> String {
        let Db = db;
        format!("Hello, {name}! {}", key.len())
    }

    #[test]
    fn are_captured_but_for_those_that_are_not_to_be() {
        let call = greet("Alice".into(), &Db, "secret", 3);
        check(call, expect![[r#"greet {"name":"Alice","key":"***"} -> "Hello, Alice! 6""#]]);
    }

    #[runnable]
    async fn sum(
        first: u8,
        (a, mut b): (u8, u8),
        Point { x, y: _ }: Point,
        _: Db,
        all @ [_, last]: [u8; 2],
        #[redact] (c, _d): (u8, u8),
        ref mut e: u8,
    ) -> u8 {
        b += 1;
        *e += 1;
        first + a + b + x + all[0] + last + c + *e
    }

    #[test]
    fn that_are_patterns_are_captured_by_the_names_in_them() {
        check(
            sum(1, (1, 2), Point { x: 3, y: 4 }, Db, [5, 6], (7, 8), 0),
            expect![[
                r#"sum {"first":1,"a":1,"b":2,"x":3,"all":[5,6],"last":6,"c":"***","e":0} -> 27"#
            ]],
        );
    }

    #[runnable]
    async fn part<'a, T, const N: usize>(
        text: &'a str,
        value: &mut T,
        shown: impl Display + Serialize,
        #[skip] bytes: [u8; N],
    ) -> &'a str
    where
        T: Default + Serialize,
    {
        *value = T::default();
        if shown.to_string().len() == N { text } else { &text[bytes.len()..] }
    }

    #[test]
    fn can_be_generic_and_borrowed() {
        let mut value = 5_u8;
        check(
            part("text", &mut value, "shown", [0; 2]),
            expect![[r#"part {"text":"text","value":5,"shown":"shown"} -> "xt""#]],
        );
        assert_eq!(value, 0);
    }

    #[runnable]
    async fn of_target(
        #[cfg(test)] a: u8,
        #[cfg(not(test))] b: u8,
        #[cfg(test)] (c, _): (u8, u8),
    ) -> u8 {
        a + c
    }

    #[test]
    fn that_are_not_compiled_are_not_there() {
        check(of_target(1, (2, 3)), expect![[r#"of_target {"a":1,"c":2} -> 3"#]]);
    }

    #[runnable(skip_input)]
    async fn untold(state: Arc<Mutex<u8>>) -> u8 {
        *state.lock().unwrap()
    }

    #[test]
    fn are_not_captured_if_the_input_is_skipped() {
        check(untold(Arc::default()), expect!["untold null -> 0"]);
    }

    #[runnable]
    async fn r#type(r#fn: u8, output: u8, input: u8, ending: u8) -> u8 {
        r#fn + output + input + ending
    }

    #[test]
    fn can_have_any_name() {
        check(
            r#type(1, 2, 3, 4),
            expect![[r#"type {"fn":1,"output":2,"input":3,"ending":4} -> 10"#]],
        );
    }
}

mod outputs {
    use std::error::Error;
    use std::fmt;
    use std::num::ParseIntError;
    use std::rc::Rc;
    use std::sync::Arc;

    use serde::Serialize;

    use super::*;

    #[runnable]
    async fn nothing() {}

    #[runnable]
    async fn some(text: &str) -> Option<impl Serialize> {
        text.chars().next()
    }

    #[runnable(skip_output)]
    async fn adder(n: u8) -> Box<dyn Fn(u8) -> u8> {
        Box::new(move |m| n + m)
    }

    #[test]
    fn are_captured_but_for_those_that_are_not_to_be() {
        check(nothing(), expect!["nothing {} -> null"]);
        check(some("text"), expect![[r#"some {"text":"text"} -> "t""#]]);
        check(adder(1), expect![[r#"adder {"n":1} -> null"#]]);
        assert_eq!(block_on(adder(1))(2), 3);
    }

    type Parsed<T> = Result<T, ParseIntError>;

    #[runnable]
    async fn parse(text: &str) -> Parsed<u8> {
        text.parse()
    }

    #[test]
    fn that_are_results_are_values_or_errors() {
        check(parse("1"), expect![[r#"parse {"text":"1"} -> 1"#]]);
        check(
            parse("one"),
            expect![[
                r#"parse {"text":"one"} -> null !! std::num::ParseIntError: invalid digit found in string"#
            ]],
        );
    }

    macro_rules! fails {
        ($error:ty, $make:expr) => {{
            #[runnable]
            async fn f() -> Result<(), $error> {
                Err($make)
            }
            f()
        }};
    }

    fn error() -> ParseIntError {
        "one".parse::<u8>().unwrap_err()
    }

    #[test]
    fn that_are_errors_of_any_kind_say_what_they_are() {
        check(
            fails!(ParseIntError, error()),
            expect!["f {} -> null !! std::num::ParseIntError: invalid digit found in string"],
        );
        check(
            fails!(Box<dyn Error>, error().into()),
            expect!["f {} -> null !! Box<dyn std::error::Error>: invalid digit found in string"],
        );
        check(
            fails!(Box<dyn Error + Send>, Box::new(error())),
            expect![
                "f {} -> null !! Box<dyn std::error::Error + Send>: invalid digit found in string"
            ],
        );
        check(
            fails!(Box<dyn Error + Send + Sync>, "text".into()),
            expect!["f {} -> null !! Box<dyn std::error::Error + Send + Sync>: text"],
        );
        check(
            fails!(Arc<dyn Error>, Arc::new(error())),
            expect![
                "f {} -> null !! std::sync::Arc<dyn std::error::Error>: invalid digit found in string"
            ],
        );
        check(fails!(Rc<str>, "text".into()), expect!["f {} -> null !! std::rc::Rc<str>: text"]);
        check(
            fails!(anyhow::Error, anyhow::Error::from(error()).context("reading")),
            expect!["f {} -> null !! anyhow::Error: reading"],
        );
        check(
            fails!(eyre::Report, eyre::Report::from(error())),
            expect!["f {} -> null !! eyre::Report: invalid digit found in string"],
        );
        check(fails!(&'static str, "text"), expect!["f {} -> null !! &str: text"]);
    }

    #[derive(Debug)]
    struct OnlyDebug;

    struct Hidden;

    struct Broken;

    impl fmt::Display for Broken {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("halfway")?;
            Err(fmt::Error)
        }
    }

    #[test]
    fn that_are_errors_need_not_be_shown() {
        check(
            fails!(OnlyDebug, OnlyDebug),
            expect!["f {} -> null !! macros::outputs::OnlyDebug: OnlyDebug"],
        );
        check(
            fails!(Hidden, Hidden),
            expect!["f {} -> null !! macros::outputs::Hidden: an error that cannot be shown"],
        );
        check(fails!(Broken, Broken), expect!["f {} -> null !! macros::outputs::Broken: halfway"]);
    }

    #[runnable(skip_input)]
    async fn generic<E>(error: E) -> Result<(), E> {
        Err(error)
    }

    #[runnable(skip_input)]
    async fn bounded<E: fmt::Display>(error: E) -> Result<(), E> {
        Err(error)
    }

    #[test]
    fn that_are_generic_are_what_the_bounds_say() {
        check(
            generic("text"),
            expect!["generic null -> null !! &str: an error that cannot be shown"],
        );
        check(bounded("text"), expect!["bounded null -> null !! &str: text"]);
    }

    #[test]
    fn are_coerced_as_those_of_an_async_fn() {
        #[runnable]
        async fn coerced(n: u8) -> Result<&'static [u8], Box<dyn Error>> {
            if n == 0 {
                return Err(Box::new(error()));
            }
            Ok(&[1, 2])
        }
        check(
            coerced(0),
            expect![[
                r#"coerced {"n":0} -> null !! Box<dyn std::error::Error>: invalid digit found in string"#
            ]],
        );
        check(coerced(1), expect![[r#"coerced {"n":1} -> [1,2]"#]]);
    }
}

mod options {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Answer(String);

    impl Answer {
        fn tokens(&self) -> [(&'static str, u64); 1] {
            [("tokens", self.0.len() as u64)]
        }
    }

    mod inner {
        pub(super) use timbal as observed;
    }

    #[runnable(
        name = "ask the model",
        usage = Answer::tokens,
        metadata(model = "gpt \"5\"\n", type = 1, least = -1_000, ratio = 1., is_new = true),
        crate = inner::observed,
    )]
    async fn ask(question: String) -> Result<Answer, String> {
        if question.is_empty() { Err(question) } else { Ok(Answer(question.repeat(2))) }
    }

    #[test]
    fn are_in_what_is_recorded() {
        let done = block_on(ask("why?".into()).collect());
        let json = serde_json::to_value(&done).unwrap();
        assert_eq!(done.path, "ask the model");
        expect![[r#"{"tokens":8} {"is_new":true,"least":-1000,"model":"gpt \"5\"\n","ratio":1.0,"type":1}"#]].assert_eq(&format!("{} {}", json["usage"], json["metadata"]));
    }

    #[test]
    fn take_no_usage_of_an_error() {
        assert!(block_on(ask(String::new()).collect()).usage.is_empty());
    }

    const LINE_OF_NAME: u32 = line!() + 6;

    #[rustfmt::skip]
    #[runnable]
    #[inline]
    async fn
        placed() {}

    #[test]
    fn leave_the_position_to_the_name() {
        let (_, trace) = block_on(placed().traced());
        let definition = &trace.root().unwrap().definition;
        assert_eq!((definition.line, definition.column), (LINE_OF_NAME, 9));
        assert_eq!((&*definition.file, &*definition.module_path), (file!(), module_path!()));
    }
}

mod bodies {
    use std::cell::RefCell;
    use std::rc::Rc;

    use serde::Serialize;
    use timbal_tests::poll_and_drop;

    use super::*;

    /// Writes its letter when it is dropped.
    #[derive(Clone, Serialize)]
    struct Noted(char, #[serde(skip)] Rc<RefCell<String>>);

    impl Drop for Noted {
        fn drop(&mut self) {
            self.1.borrow_mut().push(self.0);
        }
    }

    /// What is dropped, in order, when such a call is polled so many times.
    fn drops<F: Future>(polls: usize, call: impl FnOnce(&dyn Fn(char) -> Noted) -> F) -> String {
        let text = Rc::new(RefCell::default());
        poll_and_drop(polls, call(&|letter| Noted(letter, Rc::clone(&text))));
        text.take()
    }

    macro_rules! both {
        ($plain:ident, $observed:ident $parameters:tt $body:block) => {
            #[allow(unused_variables, unused_assignments, reason = "what is not used is dropped too")]
            async fn $plain $parameters -> usize $body

            #[allow(unused_variables, unused_assignments, reason = "what is not used is dropped too")]
            #[runnable]
            async fn $observed $parameters -> usize $body
        };
    }

    both!(plain, observed(_a: Noted, b: Noted, (c, _): (Noted, Noted), _: Noted, mut f: Noted) {
        let local = Noted('l', b.1.clone());
        futures::pending!();
        f = local;
        b.1.borrow().len()
    });

    both!(plain_tail, observed_tail(a: Noted, _b: Noted, c: Noted) {
        let local = Noted('l', a.1.clone());
        Noted('t', a.1.clone()).1.borrow().len()
    });

    #[test]
    fn drop_their_parameters_as_async_fns_do() {
        for polls in 0..3 {
            let expected =
                drops(polls, |n| plain(n('a'), n('b'), (n('c'), n('d')), n('e'), n('f')));
            let seen = drops(polls, |n| observed(n('a'), n('b'), (n('c'), n('d')), n('e'), n('f')));
            assert_eq!(seen, expected, "after {polls} polls");
        }
    }

    #[test]
    fn drop_the_temporaries_of_their_end_as_async_fns_do() {
        for polls in 0..2 {
            let expected = drops(polls, |n| plain_tail(n('a'), n('b'), n('c')));
            let seen = drops(polls, |n| observed_tail(n('a'), n('b'), n('c')));
            assert_eq!(seen, expected, "after {polls} polls");
        }
    }

    #[expect(unsafe_code, reason = "this is what is tested")]
    mod that_are_unsafe {
        use super::*;

        #[runnable]
        async unsafe fn read(#[skip] at: *const u8) -> u8 {
            #![expect(unused_variables, reason = "an attribute of the body stays one")]
            let unused = 5;
            // SAFETY: the caller says so.
            unsafe { *at }
        }

        #[test]
        fn are_called_as_such() {
            let value = 3;
            // SAFETY: it points to a value that lives longer.
            check(unsafe { read(&raw const value) }, expect!["read {} -> 3"]);
        }
    }

    const DEFINITION: u8 = 1;

    #[runnable]
    async fn names() -> u8 {
        use std::convert::identity as call;
        fn input() -> u8 {
            2
        }
        call(DEFINITION) + input()
    }

    #[test]
    fn see_no_name_of_ours() {
        check(names(), expect!["names {} -> 3"]);
    }

    #[runnable]
    async fn never_ends(n: u8) -> String {
        if n == 0 {
            return "zero".into();
        }
        panic!("{n}")
    }

    #[test]
    fn need_no_tail() {
        check(never_ends(0), expect![[r#"never_ends {"n":0} -> "zero""#]]);
        check(never_ends(1), expect![[r#"never_ends {"n":1} -> null !! panic: 1"#]]);
    }
}

mod types {
    use std::fmt::Debug;
    use std::pin::Pin;

    use futures::{Stream, stream};
    use serde::Serialize;
    use timbal::{IterCall, StreamCall};

    use super::*;

    macro_rules! function {
        ($name:ident($parameter:ident: $type:ty) -> $output:ty, $body:expr) => {
            #[runnable]
            fn $name($parameter: $type) -> $output {
                $body
            }
        };
    }

    type Boxed<T> = Pin<Box<T>>;

    function!(future(n: u8) -> impl Future<Output = u8>, async move { n });
    function!(items(n: u8) -> impl Stream<Item = u8>, stream::iter(0..n));
    function!(numbers(n: u8) -> impl Iterator<Item = u8>, 0..n);
    function!(pinned(n: u8) -> Pin<Box<dyn Future<Output = u8>>>, Box::pin(async move { n }));

    #[test]
    fn that_macros_hand_over_are_seen_as_what_they_are() {
        check(future(1), expect![[r#"future {"n":1} -> 1"#]]);
        let _: StreamCall<_> = items(2);
        let _: IterCall<_> = numbers(2);
        let (_, trace) = block_on(timbal::call!("in", async { pinned(3).await }).traced());
        expect!["in.pinned"].assert_eq(&trace.spans[1].path);
    }

    #[test]
    fn that_are_aliases_are_values() {
        #[runnable(skip_output)]
        fn alias(n: u8) -> Boxed<dyn Future<Output = u8>> {
            Box::pin(async move { n })
        }
        assert_eq!(block_on(alias(3)), 3);
    }

    #[runnable]
    fn unnamed() -> impl Future {
        async { 1 }
    }

    #[runnable]
    fn bounded() -> impl Iterator<Item: Serialize + Debug> {
        0..2
    }

    #[expect(clippy::implied_bounds_in_impls, reason = "this is what is tested")]
    #[runnable]
    fn twice() -> impl ExactSizeIterator + Iterator<Item = u8> {
        0..2
    }

    #[test]
    fn need_not_name_what_they_give() {
        check(unnamed(), expect!["unnamed {} -> 1"]);
        assert_eq!(block_on(bounded().events().collect()).output.as_json(), "[0,1]");
        assert_eq!(block_on(twice().events().collect()).output.as_json(), "[0,1]");
    }
}

mod receivers {
    use std::pin::Pin;
    use std::rc::Rc;

    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Counter(u8);

    #[runnable(capture_self)]
    impl Counter {
        async fn shared(self: Rc<Self>) -> u8 {
            self.0
        }

        async fn boxed(self: Box<Self>) -> u8 {
            self.0
        }

        async fn pinned(self: Pin<&mut Self>) -> u8 {
            self.0
        }

        async fn own(mut self, n: u8) -> Self {
            self.0 += n;
            self
        }
    }

    #[test]
    fn are_captured_as_what_they_point_to() {
        check(Rc::new(Counter(1)).shared(), expect![[r#"shared {"self":1} -> 1"#]]);
        check(Box::new(Counter(2)).boxed(), expect![[r#"boxed {"self":2} -> 2"#]]);
        check(Pin::new(&mut Counter(3)).pinned(), expect![[r#"pinned {"self":3} -> 3"#]]);
        check(Counter(4).own(1), expect![[r#"own {"self":4,"n":1} -> 5"#]]);
    }
}
