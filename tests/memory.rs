//! What floods cost: memory stays as it is, however much a call says.

use std::alloc::System;

use futures::executor::block_on;
use futures::{Stream, StreamExt, stream};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use timbal::{Event, Timbal, runnable};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ITEMS: u64 = 1_000_000;

#[runnable(fold = "none")]
fn numbers() -> impl Stream<Item = u64> {
    stream::iter(0..ITEMS)
}

/// The bytes that are in use now and were not when the region began.
fn live(region: &Region<'_, System>) -> isize {
    let change = region.change();
    change.bytes_allocated as isize - change.bytes_deallocated as isize
}

#[runnable]
async fn fails(n: u64) -> Result<u64, String> {
    let number = n.checked_sub(ITEMS).ok_or_else(|| format!("{n} is not enough"))?;
    Ok(number)
}

/// Handles errors, in the calls below it and in its own closures; gives how many bytes there were.
#[runnable]
async fn handles_errors(#[skip] region: Region<'static, System>) -> Result<isize, String> {
    let mut most = 0;
    for n in 0..ITEMS {
        let handled = async {
            let number = fails(n).await?;
            Ok::<_, String>(number)
        };
        if handled.await.is_ok() {
            return Err("it failed not".to_owned());
        }
        if n % 1_000 == 0 {
            most = most.max(live(&region));
        }
    }
    Ok(most)
}

/// Every call it makes fails, and is handled; errors of it that are kept share what they say.
fn a_million_failures_take_no_memory() {
    let region = Region::new(ALLOCATOR);
    let done = block_on(handles_errors(region).collect());
    let most: isize = done.output.get().unwrap();
    assert!(most < 1 << 20, "{most} bytes"); // 64 failed calls are remembered
}

// The allocator counts for the whole process, so these are one test.
#[test]
fn floods_take_no_memory() {
    a_million_chunks_take_no_memory();
    a_million_failures_take_no_memory();
}

fn a_million_chunks_take_no_memory() {
    let region = Region::new(ALLOCATOR);
    let (mut chunks, mut most) = (0, 0);
    block_on(async {
        let mut events = numbers().events();
        while let Some(event) = events.next().await {
            chunks += u64::from(matches!(event, Event::Chunk(_)));
            if chunks % 1_000 == 0 {
                most = most.max(live(&region));
            }
        }
    });
    assert_eq!(chunks, ITEMS);
    assert!(most < 4 << 20, "{most} bytes"); // 1,024 events wait at most

    // Without a reader no event is built, recorded or not.
    let timbal = Timbal::builder().build();
    for recorded in [false, true] {
        let region = Region::new(ALLOCATOR);
        let call = numbers();
        let call = if recorded { call.recorded_by(&timbal) } else { call };
        assert_eq!(block_on(call.count()), ITEMS as usize);
        let allocations = region.change().allocations;
        assert!(allocations < 1_000, "{allocations} allocations");
    }
}
