//! What a long life costs: as much memory after a million runs as after a hundred thousand.

use std::alloc::System;

use futures::executor::block_on;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use timbal::{MemoryStore, Timbal, runnable};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[runnable]
async fn double(n: u64) -> u64 {
    timbal::usage("doubles", 1);
    n * 2
}

/// The bytes that are in use now, when all is written.
fn live(region: &Region<'_, System>, timbal: &Timbal) -> f64 {
    smol::block_on(timbal.flush()).unwrap(); // also inside of another executor
    let change = region.change();
    (change.bytes_allocated as i64 - change.bytes_deallocated as i64) as f64
}

fn assert_same(few: f64, many: f64) {
    println!("{few} bytes, and then {many}");
    assert!((many / few - 1.0).abs() < 0.01, "{few} bytes, and then {many}");
}

// The allocator counts for the whole process, so these are one test.
#[test]
fn live_bytes_stay() {
    let store = MemoryStore::new().with_max_spans(50_000); // full long before it is measured
    let timbal = Timbal::builder().store(store).build();
    let region = Region::new(ALLOCATOR);

    let runs = |count: u64| {
        for n in 0..count {
            block_on(double(n).recorded_by(&timbal));
            if n % 1_000 == 0 {
                // So none is lost on a slow machine, and as little waits at the end of each.
                block_on(timbal.flush()).unwrap();
            }
        }
        live(&region, &timbal)
    };
    let few = runs(100_000);
    assert_same(few, runs(900_000));
    assert_eq!((timbal.health().written, timbal.health().lost), (1_000_000, 0));

    let mut few = 0.0;
    let call = timbal::call!("root", async {
        for n in 0..1_000_000 {
            double(n).await;
            if n % 1_000 == 0 {
                timbal.flush().await.unwrap();
            }
            if n == 100_000 {
                few = live(&region, &timbal);
            }
        }
        live(&region, &timbal)
    });
    let many = block_on(call.recorded_by(&timbal));
    assert_same(few, many);
    block_on(timbal.flush()).unwrap();
    assert_eq!((timbal.health().written, timbal.health().lost), (2_000_001, 0));
}
