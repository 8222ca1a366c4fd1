//! Panics of every shape, located by the hook that the recorder's guard chains before others.

use std::panic::{self, PanicHookInfo};
use std::sync::Mutex;

use expect_test::{Expect, expect};
use futures::executor::block_on;
use timbal::{OutputEvent, Timbal};

#[path = "tracebacks/panicking.rs"]
mod panicking;
use panicking as p;

/// What the process's own hooks were told.
static TOLD: Mutex<Vec<&str>> = Mutex::new(Vec::new());

/// Sets a hook that says this, and then does what the one before does.
fn set_hook(name: &'static str) {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        TOLD.lock().unwrap().push(name);
        if name != "first" {
            before(info);
        }
    }));
}

/// Which of them run when a call panics.
fn told() -> (Vec<&'static str>, u32) {
    let done = block_on(p::future(1).collect());
    let line = done.error.unwrap().frames()[0].line();
    (std::mem::take(&mut TOLD.lock().unwrap()), line)
}

fn check(done: OutputEvent, expected: Expect) {
    assert_eq!(done.status.to_string(), "error");
    // Tasks have numbers, which other tests' tasks change.
    let traceback = done.error.unwrap().traceback().to_owned() + "\n";
    let text = match traceback.split_once("task ") {
        Some((head, tail)) => format!("{head}task {}", tail.trim_start_matches(char::is_numeric)),
        None => traceback,
    };
    expected.assert_eq(&text);
}

macro_rules! check {
    ($($call:expr => $expected:expr;)*) => { $( check($call.await, $expected); )* };
}

/// The line of the panic, and that of the function.
const LOCATED: u32 = 11;
const DECLARED: u32 = 10;

// Hooks are the process's, so these are one test.
#[test]
fn panics_are_located_and_hooks_run_once() {
    set_hook("first");
    assert_eq!(told(), (vec!["first"], DECLARED));

    // Located while a recorder is installed, unless that is left out.
    let guard = Timbal::builder().panic_hook(false).build().install().unwrap();
    assert_eq!(told(), (vec!["first"], DECLARED));
    drop(guard);
    let guard = Timbal::builder().build().install().unwrap();
    assert_eq!(told(), (vec!["first"], LOCATED));
    tokio::runtime::Runtime::new().unwrap().block_on(every_shape());
    TOLD.lock().unwrap().clear();

    // Whoever sets a hook meanwhile keeps it, and those before it run as often as it lets them.
    set_hook("second");
    assert_eq!(told(), (vec!["second", "first"], LOCATED));
    drop(guard);
    assert_eq!(told(), (vec!["second", "first"], DECLARED));

    // Again, also when a guard is dropped by a thread that panics, which must not touch hooks.
    for _ in 0..3 {
        let guard = Timbal::builder().build().install().unwrap();
        assert_eq!(told(), (vec!["second", "first"], LOCATED));
        let thread = std::thread::spawn(move || {
            let _guard = guard;
            panic!("with a guard");
        });
        assert!(thread.join().is_err());
        assert_eq!(std::mem::take(&mut *TOLD.lock().unwrap()), ["second", "first"]);
        assert_eq!(told(), (vec!["second", "first"], DECLARED));
    }

    // Who takes hooks out takes ours out too; the next guard chains it again.
    let _all = panic::take_hook();
    set_hook("first");
    let _guard = Timbal::builder().build().install().unwrap();
    assert_eq!(told(), (vec!["first"], LOCATED));
}

async fn every_shape() {
    check! {
        p::future(1).collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:11:5, in future
            panic: 1 is not enough
        "#]];
        timbal::call!("sync", async { p::value(7) }).collect() => expect![[r#"
            Traceback (most recent call last):
              tests/panics.rs:102:9, in sync
              tests/tracebacks/panicking.rs:18:5, in sync.value
            panic: index out of bounds: the len is 3 but the index is 7
        "#]];
        p::impl_future("x").collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:23:35, in impl_future
            panic: a number: ParseIntError { kind: InvalidDigit }
        "#]];
        timbal::call!("boxed", async { p::boxed_future(1).await }).collect() => expect![[r#"
            Traceback (most recent call last):
              tests/panics.rs:113:9, in boxed
              tests/tracebacks/panicking.rs:29:35, in boxed.boxed_future
            panic: called `Option::unwrap()` on a `None` value
        "#]];
        p::items().events().collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:34:46, in items
            panic: it fails halfway
        "#]];
        p::iterator().events().collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:39:31, in iterator
            panic: it fails at 3
        "#]];
        p::blocking().collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:44:5, in blocking
            panic: it blocked
        "#]];
        timbal::call!("block", async { assert!(TOLD.is_poisoned(), "in a block") }).collect() => expect![[r#"
            Traceback (most recent call last):
              tests/panics.rs:134:40, in block
            panic: in a block
        "#]];
        p::any(0).collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:50:14, in any
            panic: 404
        "#]];
        p::any(1).collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:51:14, in any
            panic: text
        "#]];
        p::any(2).collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:52:14, in any
            panic: an error
        "#]];
        p::any(3).collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:53:14, in any
            panic: a value that is no text
        "#]];
        p::outer(1).collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:58:21, in outer
              tests/tracebacks/panicking.rs:11:5, in outer.future
            panic: 1 is not enough
        "#]];
        p::task().collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:65:47, in task
                tokio::spawn(future(1)).await?
              tests/tracebacks/panicking.rs:11:5, in task.future
            anyhow::Error: task  panicked with message "1 is not enough"
        "#]];
        p::caught().collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:72:50, in caught
                panic.map_err(|_| "it was caught".to_owned())?
            String: it was caught
        "#]];
        p::resumed().collect() => expect![[r#"
            Traceback (most recent call last):
              tests/tracebacks/panicking.rs:77:21, in resumed
            panic: from elsewhere
        "#]];
    }
}
