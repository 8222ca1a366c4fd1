//! Subscribers on a thread of their own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use expect_test::expect;
use futures::executor::block_on;
use timbal::{Event, Queued, Subscriber, Timbal, queued, runnable};
use timbal_tests::Heard;

#[runnable]
async fn echo(n: u32) -> u32 {
    timbal::emit(n).await;
    n
}

/// Waits until it is let go before it hears its first event.
fn held(heard: &Heard, capacity: usize) -> (mpsc::Sender<()>, Queued) {
    let (go, wait) = mpsc::channel::<()>();
    let (wait, heard) = (Mutex::new(wait), heard.clone());
    let subscriber = move |event: &Event| {
        let _until_it_is_closed = wait.lock().unwrap().recv();
        heard.on_event(event);
    };
    (go, queued(subscriber, capacity))
}

#[test]
fn queued_ones_hear_what_happened_in_order() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(queued(heard.clone(), 100)).build();
    block_on(echo(1).recorded_by(&timbal));
    block_on(timbal.flush()).unwrap();
    expect![[r#"
        START  echo
        CHUNK  echo 1
        OUTPUT echo {"n":1} -> 1
    "#]]
    .assert_eq(&heard.show());
    assert_eq!(timbal.health().left_out, 0);
}

#[test]
fn nobody_waits_for_queued_ones() {
    let heard = Heard::default();
    let (go, slow) = held(&heard, 4);
    let timbal = Timbal::builder().subscriber(slow.clone()).build();
    for n in 0..10 {
        block_on(echo(n).recorded_by(&timbal));
    }
    drop(go);
    block_on(timbal.flush()).unwrap();
    let lines = heard.show().lines().count() as u64;
    assert!((4..=5).contains(&lines), "{lines}"); // its thread may hold one when the others come
    assert_eq!((slow.left_out(), timbal.health().left_out), (30 - lines, 30 - lines));
    assert!(heard.show().starts_with("START  echo\nCHUNK  echo 0\nOUTPUT echo {\"n\":0} -> 0\n"));
}

#[test]
fn a_place_is_always_there() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(queued(heard.clone(), 0)).build();
    block_on(echo(1).recorded_by(&timbal));
    block_on(timbal.flush()).unwrap();
    assert!(heard.show().starts_with("START  echo\n"), "{}", heard.show());
}

#[test]
fn queued_ones_that_panic_are_cut_off() {
    let (heard, told) = (Heard::default(), Arc::new(AtomicU32::new(0)));
    let counter = Arc::clone(&told);
    let panics = move |event: &Event| {
        counter.fetch_add(1, Ordering::Relaxed);
        assert!(!matches!(event, Event::Chunk(_)), "I do not like it");
    };
    let panics = queued(panics, 100);
    let builder = Timbal::builder().subscriber(panics.clone()).subscriber(heard.clone());
    let timbal = builder.build();
    for n in 0..3 {
        assert_eq!(block_on(echo(n).recorded_by(&timbal)), n);
    }
    block_on(timbal.flush()).unwrap();
    let health = timbal.health();
    assert_eq!((told.load(Ordering::Relaxed), health.subscribers_cut_off), (2, 1));
    assert_eq!((health.left_out, heard.show().lines().count()), (7, 9));
}

#[test]
fn what_queued_ones_call_is_not_told() {
    let heard = Heard::default();
    let inner = Timbal::builder().subscriber(heard.clone()).build();
    let own = inner.clone();
    let calls = queued(move |_: &Event| assert_eq!(block_on(echo(7).recorded_by(&own)), 7), 100);
    let timbal = Timbal::builder().subscriber(calls).build();
    block_on(echo(1).recorded_by(&timbal));
    block_on(timbal.flush()).unwrap();
    block_on(inner.flush()).unwrap();
    assert_eq!((inner.health().written, heard.show().as_str()), (3, ""));
}

#[test]
fn one_that_is_behind_is_waited_for_within_a_bound() {
    let heard = Heard::default();
    let (go, slow) = held(&heard, 100);
    let bound = Duration::from_millis(1);
    let timbal = Timbal::builder().subscriber(slow).flush_within(bound).build();
    block_on(echo(1).recorded_by(&timbal));
    let flushed = block_on(timbal.flush()).unwrap_err();
    assert_eq!(flushed.to_string(), "not everything was written in time");
    drop(go);
    while block_on(timbal.flush()).is_err() {}
    assert_eq!(heard.show().lines().count(), 3);
}

#[test]
fn queued_ones_can_flush() {
    let (tell, told) = mpsc::channel();
    let (hand_over, recorder) = mpsc::channel::<Timbal>();
    let recorder = Mutex::new(recorder);
    let flushes = queued(
        move |event: &Event| {
            if let Event::Output(_) = event {
                let timbal = recorder.lock().unwrap().recv().unwrap();
                let flushed = block_on(timbal.flush()).is_ok();
                tell.send((flushed, timbal.health().written)).unwrap();
            }
        },
        100,
    );
    // If it waited for itself, it would wait for as long as this test may take.
    let within = Duration::from_secs(1_000_000);
    let timbal = Timbal::builder().subscriber(flushes).flush_within(within).build();
    block_on(echo(1).recorded_by(&timbal));
    hand_over.send(timbal.clone()).unwrap();
    assert_eq!(told.recv(), Ok((true, 1)));
}

#[test]
fn queued_ones_end_when_nobody_can_tell_them_anything() {
    struct Says(#[expect(dead_code, reason = "it counts its owners")] Arc<()>, Heard);
    impl Subscriber for Says {
        fn on_event(&self, event: &Event) {
            self.1.on_event(event);
        }
    }
    let (alive, heard) = (Arc::new(()), Heard::default());
    let subscriber = queued(Says(Arc::clone(&alive), heard.clone()), 100);
    let timbal = Timbal::builder().subscriber(subscriber).build();
    block_on(echo(1).recorded_by(&timbal));
    drop(timbal);
    while Arc::strong_count(&alive) > 1 {
        std::thread::yield_now(); // it ends in its own time
    }
    assert_eq!(heard.show().lines().count(), 3); // and not before it has heard everything
}

// The recorder is the process's: no other test here installs one.
#[test]
fn the_guard_waits_for_queued_ones() {
    let heard = Heard::default();
    let (go, slow) = held(&heard, 100);
    let guard = Timbal::builder().subscriber(slow).build().install().unwrap();
    let name = "the_only_one";
    block_on(timbal::call!(name, async {}));
    drop(go);
    drop(guard);
    assert!(heard.show().contains("OUTPUT the_only_one null -> null\n"), "{}", heard.show());
}
