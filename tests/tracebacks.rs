//! Whole tracebacks, of programs that stand in files of their own:
//!
//! - each kind of error (`kinds.rs`): of `std`, boxed, boxed and `Send`, `anyhow`, `eyre`, `String`,
//!   `&str`, only `Display`, only `Debug`, wrapping others, transparent, generic, by an alias, of sync code;
//! - each way that errors go (`ways.rs`): 1, 3, 30 and 300 calls deep; through `From`, contexts, texts and
//!   boxes; `try_join`, `join_all`, `try_join!`, tasks, blocks in tasks, `buffer_unordered`, 100 calls at a
//!   time; recursion, async and sync; boxed futures, `impl Future`, `#[async_trait]`; streams and iterators
//!   that fail halfway, and what adds them up; `call!`; blocking calls;
//! - what was handled before (`handled.rs`): retries, the last and the first of several errors, errors
//!   that say the same; closures and `async` blocks, handled or not; `ensure!`, and `?` in, of and by
//!   macros; operands that are long, or many lines;
//! - panics of each shape: `tests/panics.rs`.

use expect_test::{Expect, expect};
use timbal::OutputEvent;

#[path = "tracebacks/handled.rs"]
mod handled;
#[path = "tracebacks/kinds.rs"]
mod kinds;
#[path = "tracebacks/ways.rs"]
mod ways;

fn check(done: &OutputEvent, expected: Expect) {
    let error = done.error.as_ref();
    let traceback = error.map_or_else(|| done.status.to_string(), |it| it.traceback().to_owned());
    expected.assert_eq(&(traceback + "\n"));
}

macro_rules! tracebacks {
    ($($name:ident: $call:expr => $expected:expr;)*) => { $(
        #[tokio::test]
        async fn $name() {
            check(&$call.await, $expected);
        }
    )* };
}

tracebacks! {
    std_error: kinds::std_error("x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:11:36, in std_error
            text.parse::<u8>()?
        std::num::ParseIntError: invalid digit found in string
    "#]];
    boxed_error: kinds::boxed_error("x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:17:26, in boxed_error
            text.parse::<u8>()?
        Box<dyn std::error::Error>: invalid digit found in string
    "#]];
    boxed_send_error: kinds::boxed_send_error("").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:23:16, in boxed_send_error
            return Err("there is no text".into())
        Box<dyn std::error::Error + Send + Sync>: there is no text
    "#]];
    anyhow_error: kinds::anyhow_error("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:30:92, in anyhow_error
            std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?
        anyhow::Error: cannot read /nowhere
        Caused by:
          No such file or directory (os error 2)
    "#]];
    eyre_error: kinds::eyre_error("x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:35:21, in eyre_error
        eyre::Report: cannot count
        Caused by:
          not a number of this size
          invalid digit found in string
    "#]];
    string_error: kinds::string_error(9).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:42:65, in string_error
            n.checked_add(250).ok_or_else(|| format!("{n} is too many"))?
        String: 9 is too many
    "#]];
    str_error: kinds::str_error(9).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:48:16, in str_error
            Err("too many")
        &str: too many
    "#]];
    display_error: kinds::display_error(2).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:63:18, in display_error
            Err(OnlyShown(n))
        tracebacks::kinds::OnlyShown: shown as 2
    "#]];
    debug_error: kinds::debug_error(2).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:77:16, in debug_error
            return Err(OnlyDebugged { n })
        tracebacks::kinds::OnlyDebugged: OnlyDebugged { n: 2 }
    "#]];
    wrapping_error: kinds::wrapping_error("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:93:45, in wrapping_error
            std::fs::read_to_string(path)?
        tracebacks::kinds::AppError: cannot load the configuration
        Caused by:
          No such file or directory (os error 2)
    "#]];
    generic_error: kinds::generic_error::<f64>("x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:102:22, in generic_error
            text.parse::<T>()?
        std::num::ParseFloatError: invalid float literal
    "#]];
    aliased_error: kinds::aliased_error("x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/kinds.rs:111:30, in aliased_error
            text.parse()?
        tracebacks::kinds::AppError: invalid digit found in string
    "#]];
    sync_error: timbal::call!("sync", async { kinds::sync_error("xy") }).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks.rs:118:17, in sync
          tests/tracebacks/kinds.rs:116:15, in sync.sync_error
        std::char::ParseCharError: too many characters in string
    "#]];
    depth_one: ways::read("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:14:34, in read
            std::fs::read_to_string(path)?
        std::io::Error: No such file or directory (os error 2)
    "#]];
    depth_three: ways::index(vec!["Cargo.toml", "/nowhere"]).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:25:42, in index
            read_counted(path).await?
          tests/tracebacks/ways.rs:31:21, in index.read_counted
          tests/tracebacks/ways.rs:14:34, in index.read_counted.read
            std::fs::read_to_string(path)?
        std::io::Error: No such file or directory (os error 2)
    "#]];
    through_from: ways::through_from("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:37:24, in through_from
            read(path).await?
          tests/tracebacks/ways.rs:14:34, in through_from.read
            std::fs::read_to_string(path)?
        tracebacks::kinds::AppError: cannot load the configuration
        Caused by:
          No such file or directory (os error 2)
    "#]];
    through_context: ways::through_context("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:42:68, in through_context
            through_from(path).await.context("while it counted")?
          tests/tracebacks/ways.rs:37:24, in through_context.through_from
            read(path).await?
          tests/tracebacks/ways.rs:14:34, in through_context.through_from.read
            std::fs::read_to_string(path)?
        anyhow::Error: while it counted
        Caused by:
          cannot load the configuration
          No such file or directory (os error 2)
    "#]];
    through_context_again: ways::through_context_again("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:47:21, in through_context_again
          tests/tracebacks/ways.rs:42:68, in through_context_again.through_context
            through_from(path).await.context("while it counted")?
          tests/tracebacks/ways.rs:37:24, in through_context_again.through_context.through_from
            read(path).await?
          tests/tracebacks/ways.rs:14:34, in through_context_again.through_context.through_from.read
            std::fs::read_to_string(path)?
        anyhow::Error: at last
        Caused by:
          while it looked at /nowhere
          while it counted
          cannot load the configuration
          No such file or directory (os error 2)
    "#]];
    through_text: ways::through_text("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:55:21, in through_text
          tests/tracebacks/ways.rs:37:24, in through_text.through_from
            read(path).await?
          tests/tracebacks/ways.rs:14:34, in through_text.through_from.read
            std::fs::read_to_string(path)?
        String: no size: cannot load the configuration
    "#]];
    through_box: ways::through_box("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:61:40, in through_box
            through_text(path).await?
          tests/tracebacks/ways.rs:55:21, in through_box.through_text
          tests/tracebacks/ways.rs:37:24, in through_box.through_text.through_from
            read(path).await?
          tests/tracebacks/ways.rs:14:34, in through_box.through_text.through_from.read
            std::fs::read_to_string(path)?
        Box<dyn std::error::Error>: no size: cannot load the configuration
    "#]];
    through_try_join: ways::through_try_join("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:67:70, in through_try_join
            try_join(read("Cargo.toml"), read(path)).await?
          tests/tracebacks/ways.rs:14:34, in through_try_join.read
            std::fs::read_to_string(path)?
        std::io::Error: No such file or directory (os error 2)
    "#]];
    through_join_all: ways::through_join_all(vec!["/nowhere", "Cargo.toml", "/"]).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:74:65, in through_join_all
            texts.into_iter().collect::<Result<Vec<_>, _>>()?
          tests/tracebacks/ways.rs:14:34, in through_join_all.read
            std::fs::read_to_string(path)?
        std::io::Error: No such file or directory (os error 2)
    "#]];
    through_macro: ways::through_macro("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:80:72, in through_macro
            tokio::try_join!(read("Cargo.toml"), read(path))?
          tests/tracebacks/ways.rs:14:34, in through_macro.read
            std::fs::read_to_string(path)?
        std::io::Error: No such file or directory (os error 2)
    "#]];
    through_task: ways::through_task("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:87:27, in through_task
            task.await??
          tests/tracebacks/ways.rs:14:34, in through_task.read
            std::fs::read_to_string(path)?
        anyhow::Error: No such file or directory (os error 2)
    "#]];
    through_task_block: ways::through_task_block("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:97:27, in through_task_block
            task.await??
        anyhow::Error: No such file or directory (os error 2)
    "#]];
    through_buffer: ways::through_buffer(vec!["Cargo.toml", "/nowhere", "/"]).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:104:80, in through_buffer
            texts.map_ok(|text| text.len()).try_collect().await?
          tests/tracebacks/ways.rs:14:34, in through_buffer.read
            std::fs::read_to_string(path)?
        anyhow::Error: No such file or directory (os error 2)
    "#]];
    through_many: ways::through_many(100).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:110:45, in through_many
            try_join_all((0..n).map(fails_at)).await?
          tests/tracebacks/ways.rs:116:18, in through_many.fails_at
            Err(format!("{n} is where it fails"))
        String: 70 is where it fails
    "#]];
    depth_thirty: ways::down(29).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:124:38, in d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:124:38, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            down(depth - 1).await?
          tests/tracebacks/ways.rs:122:16, in d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d.d
            return Err("the ground".to_owned())
        String: the ground
    "#]];
    depth_of_sync_calls: timbal::call!("dive", async { ways::down_sync(2) }).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks.rs:316:26, in dive
          tests/tracebacks/ways.rs:130:70, in dive.down_sync
            down_sync(depth - 1)?
          tests/tracebacks/ways.rs:130:70, in dive.down_sync.down_sync
            down_sync(depth - 1)?
          tests/tracebacks/ways.rs:129:15, in dive.down_sync.down_sync.down_sync
        std::num::ParseIntError: invalid digit found in string
    "#]];
    boxed_future: timbal::call!("boxed", async { ways::boxed_future("/nowhere").await }).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks.rs:326:19, in boxed
          tests/tracebacks/ways.rs:136:36, in boxed.boxed_future
            read(path).await?
          tests/tracebacks/ways.rs:14:34, in boxed.boxed_future.read
            std::fs::read_to_string(path)?
        std::io::Error: No such file or directory (os error 2)
    "#]];
    impl_future: ways::impl_future("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:145:36, in impl_future
            read(path).await?
          tests/tracebacks/ways.rs:14:34, in impl_future.read
            std::fs::read_to_string(path)?
        std::io::Error: No such file or directory (os error 2)
    "#]];
    async_trait: ways::Files.sizes(vec!["Cargo.toml", "/nowhere"]).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:173:42, in sizes
            self.size(path).await?
          tests/tracebacks/ways.rs:163:36, in sizes.size
            read(path).await?
          tests/tracebacks/ways.rs:14:34, in sizes.size.read
            std::fs::read_to_string(path)?
        std::io::Error: No such file or directory (os error 2)
    "#]];
    stream: ways::numbers(&["1", "x", "y"]).events().collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:182:64, in numbers
            number(text).await.context("not a number")?
          tests/tracebacks/ways.rs:188:21, in numbers.number
        anyhow::Error: not a number
        Caused by:
          invalid digit found in string
    "#]];
    sum_of_stream: ways::sum(&["1", "x", "y"]).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:194:94, in sum
            numbers(texts).try_fold(0, |sum, number| async move { Ok(sum + number) }).await?
          tests/tracebacks/ways.rs:182:64, in sum.numbers
            number(text).await.context("not a number")?
          tests/tracebacks/ways.rs:188:21, in sum.numbers.number
        anyhow::Error: not a number
        Caused by:
          invalid digit found in string
    "#]];
    iterator: ways::iterator(&["1", "x", "y"]).events().collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:201:77, in iterator
            text.parse::<u8>().with_context(|| format!("{text:?}"))?
        anyhow::Error: "x"
        Caused by:
          invalid digit found in string
    "#]];
    sum_of_iterator: timbal::call!("sum", async { ways::sum_of_iterator(&["1", "x"]) }).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks.rs:381:22, in sum
          tests/tracebacks/ways.rs:208:53, in sum.sum_of_iterator
            number?
          tests/tracebacks/ways.rs:201:77, in sum.sum_of_iterator.iterator
            text.parse::<u8>().with_context(|| format!("{text:?}"))?
        anyhow::Error: "x"
        Caused by:
          invalid digit found in string
    "#]];
    call_block: ways::call_block("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:214:95, in call_block
            timbal::call!("measure", async move { read(path).await.map(|text| text.len()) }…
          tests/tracebacks/ways.rs:214:9, in call_block.measure
          tests/tracebacks/ways.rs:14:34, in call_block.measure.read
            std::fs::read_to_string(path)?
        std::io::Error: No such file or directory (os error 2)
    "#]];
    blocking: ways::through_blocking("/nowhere").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:226:47, in through_blocking
            blocking(path.to_owned()).await?
          tests/tracebacks/ways.rs:220:45, in through_blocking.blocking
            std::fs::read_to_string(path)?
        std::io::Error: No such file or directory (os error 2)
    "#]];
    retries: handled::retries(2).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:19:34, in retries
            return Err(error)
          tests/tracebacks/handled.rs:9:16, in retries.attempt
            Err(format!("attempt {n} failed"))
        String: attempt 2 failed
    "#]];
    keeps_the_last: handled::keeps_the_last(3).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:33:5, in keeps_the_last
            Err(last.unwrap())
          tests/tracebacks/handled.rs:9:16, in keeps_the_last.attempt
            Err(format!("attempt {n} failed"))
        String: attempt 2 failed
    "#]];
    keeps_the_first: handled::keeps_the_first(3).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:44:5, in keeps_the_first
            Err(errors.remove(0))
          tests/tracebacks/handled.rs:9:16, in keeps_the_first.attempt
            Err(format!("attempt {n} failed"))
        String: attempt 0 failed
    "#]];
    fails_after: handled::fails_after(1).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:52:39, in fails_after
            "none".parse::<u32>()?
        anyhow::Error: invalid digit found in string
    "#]];
    says_the_same: handled::says_the_same(1).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:60:16, in says_the_same
            return Err(format!("attempt {n} failed"))
        String: attempt 1 failed
    "#]];
    made_and_tried: handled::made_and_tried(1).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:184:43, in made_and_tried
            Err(format!("attempt {n} failed"))?
        String: attempt 1 failed
    "#]];
    block_that_was_handled: handled::block_that_was_handled(1).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:72:73, in block_that_was_handled
            std::fs::read("/nowhere").map(|bytes| bytes.len() as u32)?
        anyhow::Error: No such file or directory (os error 2)
    "#]];
    blocks: handled::blocks("1+x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:86:25, in blocks
            task.await?
          tests/tracebacks/handled.rs:83:30, in blocks
            parse(text)?
          tests/tracebacks/handled.rs:80:55, in blocks
            right.parse::<u32>()?
        anyhow::Error: invalid digit found in string
    "#]];
    block_at_the_end: handled::block_at_the_end("x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:93:41, in block_at_the_end
            text.parse::<u32>()?
        std::num::ParseIntError: invalid digit found in string
    "#]];
    retried_block: handled::retried_block(3).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:111:11, in retried_block
            retry(to, || { n += 1; let n = n; async move { let value = attempt(n).await?; O…
          tests/tracebacks/handled.rs:107:41, in retried_block
            attempt(n).await?
          tests/tracebacks/handled.rs:9:16, in retried_block.attempt
            Err(format!("attempt {n} failed"))
        String: attempt 3 failed
    "#]];
    by_macro: handled::by_macro(3).collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:128:21, in by_macro
        anyhow::Error: 3 is not enough
    "#]];
    in_a_macro: handled::in_a_macro("x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:134:21, in in_a_macro
        anyhow::Error: invalid digit found in string
    "#]];
    of_a_macro: handled::of_a_macro("x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:146:31, in of_a_macro
            parsed!(text)?
        anyhow::Error: invalid digit found in string
    "#]];
    by_a_macro: handled::by_a_macro("x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:159:1, in by_a_macro
            text.trim().parse::<u32>()?
        anyhow::Error: invalid digit found in string
    "#]];
    long_operand: handled::long_operand("x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:167:24, in long_operand
            text.trim().trim_start_matches("a prefix that is very long").trim_end_matches("…
        anyhow::Error: invalid digit found in string
    "#]];
    many_lines: handled::many_lines("x").collect() => expect![[r#"
        Traceback (most recent call last):
          tests/tracebacks/handled.rs:176:6, in many_lines
            u32::from_str_radix(text, 16)?
        anyhow::Error: invalid digit found in string
    "#]];
}

#[tokio::test]
async fn the_middle_of_many_frames_is_counted() {
    let error = ways::down(299).collect().await.error.unwrap();
    assert_eq!((error.frames().len(), error.missing_frames()), (64, 236));
    assert_eq!(error.frames()[0].path(), "d");
    assert_eq!(error.frames()[63].path(), ["d"; 300].join("."));
    assert_eq!(error.frames()[63].text(), Some("return Err(\"the ground\".to_owned())"));
    let lines: Vec<&str> = error.traceback().lines().collect();
    assert_eq!(lines.len(), 1 + 64 * 2 + 1 + 1);
    assert_eq!(lines[1 + 32 * 2], "  … 236 frames …");
}

#[tokio::test]
async fn an_error_that_is_read_back_says_the_same() {
    let done = ways::through_context("/nowhere").collect().await;
    let json = serde_json::to_string(&done).unwrap();
    let read: OutputEvent = serde_json::from_str(&json).unwrap();
    assert_eq!(read.error, done.error);
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    let (error, read) = (done.error.unwrap(), read.error.unwrap());
    assert_eq!((error.frames().len(), read.frames().len()), (3, 0)); // the frames are the text
    assert_eq!(read.traceback(), error.traceback());
}

#[tokio::test]
async fn a_frame_says_where_it_is() {
    let error = ways::through_from("/nowhere").collect().await.error.unwrap();
    let frame = &error.frames()[1];
    assert_eq!((frame.file(), frame.line(), frame.column()), ("tests/tracebacks/ways.rs", 14, 34));
    assert_eq!(frame.path(), "through_from.read");
    assert_eq!(frame.text(), Some("std::fs::read_to_string(path)?"));
    assert_eq!(std::error::Error::source(&error).map(ToString::to_string), None);
    assert_eq!(error.to_string(), "tracebacks::kinds::AppError: cannot load the configuration");
}

#[tokio::test]
async fn a_trace_shows_the_traceback_of_its_error() {
    let timbal = timbal_tests::steady().build();
    let (_, trace) = ways::index(vec!["/nowhere"]).recorded_by(&timbal).traced().await;
    expect![[r#"
        index {"paths":["/nowhere"]} !! std::io::Error: No such file or directory (os error 2)  (5.0ms)
          read_counted {"path":"/nowhere"} !! std::io::Error: No such file or directory (os error 2)  (3.0ms)
            read {"path":"/nowhere"} !! std::io::Error: No such file or directory (os error 2)  (1.0ms)
        Traceback (most recent call last):
          tests/tracebacks/ways.rs:25:42, in index
            read_counted(path).await?
          tests/tracebacks/ways.rs:31:21, in index.read_counted
          tests/tracebacks/ways.rs:14:34, in index.read_counted.read
            std::fs::read_to_string(path)?
        std::io::Error: No such file or directory (os error 2)
    "#]].assert_eq(&format!("{trace:#}\n"));
}
