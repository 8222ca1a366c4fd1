//! What calls allocate, in a process that counts it.

use std::alloc::System;
use std::hint::black_box;

use futures::executor::block_on;
use stats_alloc::StatsAlloc;
use timbal::{CountingAllocator, Timbal, Trace, runnable};

/// It is counted around another, as that could be any.
#[global_allocator]
static ALLOCATOR: CountingAllocator<StatsAlloc<System>> =
    CountingAllocator::of(StatsAlloc::system());

const _AS_IT_IS: CountingAllocator = CountingAllocator;

const MB: u64 = 1_000_000;

#[runnable(skip_output)]
async fn takes(bytes: u64) -> Vec<u8> {
    vec![1; bytes as usize]
}

#[runnable]
async fn yields_between() {
    for _ in 0..2 {
        drop(takes(MB).await);
        tokio::task::yield_now().await;
    }
}

/// So many megabytes, rounded down.
fn megabytes(trace: &Trace, path: &str) -> u64 {
    trace.find(path).unwrap().allocated_bytes.unwrap() / MB
}

#[test]
fn a_call_says_what_it_allocated() {
    let (_, trace) = block_on(takes(3 * MB).traced());
    assert_eq!(megabytes(&trace, "takes"), 3);
    let (_, trace) = block_on(takes(0).traced());
    assert_eq!(megabytes(&trace, "takes"), 0);
}

#[test]
fn growing_counts_as_far_as_it_grows() {
    let call = timbal::call!("root", async {
        let mut grown = vec![0_u8; 2 * MB as usize];
        grown.reserve_exact(MB as usize);
        grown.shrink_to_fit();
        black_box(&grown);
        black_box(vec![0_u8; MB as usize].into_boxed_slice());
    });
    let (_, trace) = block_on(call.traced());
    // Two, one more, none, and one of its own.
    assert_eq!(megabytes(&trace, "root"), 4);
}

#[tokio::test]
async fn calls_above_count_what_is_below_and_nobody_what_is_beside() {
    let call = timbal::call!("root", async {
        tokio::join!(yields_between(), async {
            for _ in 0..3 {
                black_box(vec![0_u8; MB as usize]);
                tokio::task::yield_now().await;
            }
        });
    });
    let (_, trace) = call.traced().await;
    assert_eq!(megabytes(&trace, "root.yields_between.takes"), 1);
    assert_eq!(megabytes(&trace, "root.yields_between"), 2);
    assert_eq!(megabytes(&trace, "root"), 5);
}

#[test]
fn threads_count_for_themselves() {
    let call = timbal::call!("root", async {
        let here = timbal::current().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| here.run(|| drop(block_on(takes(2 * MB)))));
        });
    });
    let (_, trace) = block_on(call.traced());
    assert_eq!(megabytes(&trace, "root.takes"), 2);
    assert_eq!(megabytes(&trace, "root"), 0);
}

#[test]
fn it_is_kept_and_read_back() {
    let timbal = Timbal::builder().build();
    let done = block_on(takes(MB).recorded_by(&timbal).collect());
    let trace = block_on(timbal.trace(done.run_id)).unwrap().unwrap();
    let text = serde_json::to_string(&trace).unwrap();
    let again: Trace = serde_json::from_str(&text).unwrap();
    assert_eq!((megabytes(&trace, "takes"), megabytes(&again, "takes")), (1, 1));
    // A span of another version, or of a process that does not count.
    let bytes = trace.spans[0].allocated_bytes.unwrap();
    let without = text.replace(&format!(r#""allocated_bytes":{bytes},"#), "");
    let other: Trace = serde_json::from_str(&without).unwrap();
    assert_eq!(other.spans[0].allocated_bytes, None);
}
