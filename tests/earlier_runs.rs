//! Runs that go on from earlier runs: what agents call their memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use expect_test::expect;
use futures::executor::block_on;
use serde::{Deserialize, Serialize};
use timbal::{Batch, MemoryStore, RunId, Store, StoreError, Timbal, Trace, current, runnable};

/// What was said so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Memory(Vec<String>);

/// Remembers what the run before remembered, and this.
#[runnable]
async fn chat(said: &str) -> Memory {
    let mut memory = remembered().await.unwrap_or_default();
    memory.0.push(said.to_owned());
    memory
}

async fn remembered() -> Option<Memory> {
    let earlier = current()?.parent_run_id()?;
    let trace = timbal::current_recorder()?.trace(earlier).await.ok()??;
    trace.root()?.output.get().ok()
}

#[test]
fn a_function_goes_on_from_what_an_earlier_run_came_to() {
    let timbal = Timbal::builder().build();
    let first = block_on(chat("hello").recorded_by(&timbal).collect());
    let second = block_on(chat("why?").parent_run(first.run_id).recorded_by(&timbal).collect());
    let third = chat("so what").recorded_by(&timbal).parent_run(second.run_id);
    let memory = block_on(third);
    expect![[r#"["hello","why?","so what"]"#]].assert_eq(&serde_json::to_string(&memory).unwrap());
    let trace = block_on(timbal.trace(second.run_id)).unwrap().unwrap();
    assert_eq!(trace.parent_run_id, Some(first.run_id));
}

#[test]
fn ids_pass_through_text() {
    let timbal = Timbal::builder().build();
    let first = block_on(chat("hello").recorded_by(&timbal).collect());
    let text = first.run_id.to_string();
    let again: RunId = text.parse().unwrap();
    let memory = block_on(chat("again").parent_run(again).recorded_by(&timbal));
    assert_eq!((memory.0.len(), text.len()), (2, 32));
}

#[test]
fn code_that_is_not_async_can_ask_too() {
    #[runnable]
    fn count(run: RunId) -> usize {
        let asked = timbal::current_recorder().unwrap().trace(run);
        smol::block_on(asked).unwrap().map_or(0, |trace| trace.spans.len())
    }
    let timbal = Timbal::builder().build();
    let first = block_on(chat("hello").recorded_by(&timbal).collect());
    let call = timbal::call!("root", async { count(first.run_id) });
    assert_eq!(block_on(call.recorded_by(&timbal)), 1);
}

#[test]
fn what_has_ended_of_the_own_run_is_there() {
    let timbal = Timbal::builder().build();
    let call = timbal::call!("root", async {
        chat("hello").await;
        let run = current().unwrap().run_id();
        let trace = timbal::current_recorder().unwrap().trace(run).await.unwrap().unwrap();
        trace.find("root.chat").is_some()
    });
    assert!(block_on(call.recorded_by(&timbal)));
}

#[test]
fn without_a_recorder_there_is_none() {
    assert!(timbal::current_recorder().is_none());
    let call = timbal::call!("root", async { timbal::current_recorder().is_none() });
    assert!(block_on(call.traced()).0);
}

/// Says when it is freed.
struct Freed(MemoryStore, Arc<AtomicBool>);

impl Store for Freed {
    fn put(&self, batch: &Batch) -> Result<(), StoreError> {
        self.0.put(batch)
    }

    fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError> {
        self.0.trace(run_id)
    }
}

impl Drop for Freed {
    fn drop(&mut self) {
        self.1.store(true, Ordering::Release);
    }
}

#[test]
fn a_recorder_that_is_gone_stays_gone() {
    let freed = Arc::new(AtomicBool::new(false));
    let store = Freed(MemoryStore::new(), Arc::clone(&freed));
    let timbal = Timbal::builder().store(store).build();
    let (gone, wait) = futures::channel::oneshot::channel();
    let call = timbal::call!("root", async {
        let mine = timbal::current_recorder();
        wait.await.unwrap();
        drop(mine); // the last that anybody has: its threads end, and nobody waits for them
        timbal::current_recorder().is_none()
    });
    let call = call.recorded_by(&timbal);
    let told = async {
        drop(timbal);
        gone.send(()).unwrap();
    };
    assert!(block_on(futures::future::join(call, told)).0);
    while !freed.load(Ordering::Acquire) {
        std::thread::yield_now(); // they end in their own time
    }
}
