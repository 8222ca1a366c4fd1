//! What a `?` costs that succeeds: the same function with its notes and without, in turns.

use std::hint::black_box;

use futures::executor::block_on;

use crate::measure::{THREAD, cpu_ns, median};
use crate::variants::{Failure, expect};

/// How many `?` there are in each of the functions.
const TRIES: f64 = 10.0;

/// How often a function is called between two looks at the clock.
const CALLS: u32 = 20_000;

/// How many pairs of times are compared.
const PAIRS: usize = 201;

/// What stands in a macro is not seen by `#[runnable]`, and thus not noted.
macro_rules! unseen {
    ($($code:tt)*) => { $($code)* };
}

#[timbal::runnable]
fn noted(n: u64) -> Result<u64, String> {
    let n = step(step(step(step(step(n)?)?)?)?)?;
    Ok(step(step(step(step(step(n)?)?)?)?)?)
}

#[timbal::runnable]
fn unnoted(n: u64) -> Result<u64, String> {
    unseen! {
        let n = step(step(step(step(step(n)?)?)?)?)?;
        Ok(step(step(step(step(step(n)?)?)?)?)?)
    }
}

/// A step that can fail, which is not seen through.
#[inline(never)]
fn step(n: u64) -> Result<u64, String> {
    let n = black_box(n);
    if n == u64::MAX { Err("too far".to_owned()) } else { Ok(n + 1) }
}

/// The nanoseconds of a `?` that is noted, above one that is not: the median of all pairs, and
/// half of the distance between their quartiles.
pub(crate) fn measure() -> Result<(f64, f64), Failure> {
    check()?;
    let pair = |turn: usize| {
        // Neither is always the first.
        let (noted, unnoted) = if turn.is_multiple_of(2) {
            (time(noted), time(unnoted))
        } else {
            let unnoted = time(unnoted);
            (time(noted), unnoted)
        };
        (noted - unnoted) / f64::from(CALLS) / TRIES
    };
    let mut differences: Vec<f64> = (0..PAIRS).map(pair).collect();
    let middle = median(&mut differences); // which sorts them
    let quartile = |part: usize| differences[(PAIRS - 1) * part / 4];
    Ok((middle, (quartile(3) - quartile(1)) / 2.0))
}

fn time(function: fn(u64) -> Result<u64, String>) -> f64 {
    let before = cpu_ns(THREAD);
    for n in 0..CALLS {
        let _sum = black_box(function(black_box(n.into())));
    }
    cpu_ns(THREAD) - before
}

/// Fails unless the one is noted, and the other is not.
fn check() -> Result<(), Failure> {
    for (function, text) in [(noted as fn(u64) -> _, Some("step(n)?")), (unnoted, None)] {
        let done = block_on(timbal::call!("root", async { function(u64::MAX) }).collect());
        let error = done.error.ok_or("it did not fail")?;
        expect("the last frame", error.frames().last().and_then(|frame| frame.text()), text)?;
        expect("the value", function(0)?, 10)?;
    }
    Ok(())
}
