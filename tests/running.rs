//! Calls that have not ended: after a second they are in the trace, as `running`.

use std::sync::{Mutex, mpsc};

use expect_test::expect;
use futures::executor::block_on;
use futures::future::{join, pending};
use timbal::{
    Batch, ExportError, Exporter, MemoryStore, RunId, Store, StoreError, Timbal, Trace, current,
    runnable,
};
use timbal_tests::poll_and_drop;

/// Says which statuses it is given.
struct Told {
    inner: MemoryStore,
    tell: Mutex<mpsc::Sender<String>>,
}

impl Store for Told {
    fn put(&self, batch: &Batch) -> Result<(), StoreError> {
        self.inner.put(batch)?;
        for span in batch.spans() {
            let _unless_it_is_gone =
                self.tell.lock().unwrap().send(format!("{} {}", span.path, span.status));
        }
        Ok(())
    }

    fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError> {
        self.inner.trace(run_id)
    }
}

fn told() -> (mpsc::Receiver<String>, MemoryStore, Timbal) {
    let ((tell, told), inner) = (mpsc::channel(), MemoryStore::new());
    let store = Told { inner: inner.clone(), tell: Mutex::new(tell) };
    (told, inner, Timbal::builder().store(store).build())
}

#[runnable]
async fn quick(n: u32) -> u32 {
    n
}

#[runnable]
async fn wait_for(n: u32) {
    timbal::usage("waits", 1);
    quick(n).await;
    pending().await
}

#[test]
fn a_call_that_is_open_for_a_second_is_running_with_the_calls_above_it() {
    let (told, _, timbal) = told();
    let (tell_run, run) = mpsc::channel();
    let root = timbal::call!("root", async {
        tell_run.send(current().unwrap().run_id()).unwrap();
        join(wait_for(1), wait_for(2)).await
    });
    let mut root = Box::pin(root.recorded_by(&timbal));
    assert!(futures::FutureExt::now_or_never(root.as_mut()).is_none());
    let first: Vec<String> = told.iter().take(5).collect();
    let quick = "root.wait_for.quick success";
    let long = "root.wait_for running";
    assert_eq!(first, [quick, quick, "root running", long, long]);

    let run = run.recv().unwrap();
    let trace = block_on(timbal.trace(run)).unwrap().unwrap();
    expect![[r#"
        root -- running
          wait_for {"n":1} -- running
            quick {"n":1} -> 1
          wait_for {"n":2} -- running
            quick {"n":2} -> 2"#]]
    .assert_eq(&trace.to_string());
    assert_eq!(trace.find("root.wait_for").unwrap().usage["waits"], 1);
    assert_eq!(timbal.health().written, 2); // of those that have ended

    drop(root);
    let trace = block_on(timbal.trace(run)).unwrap().unwrap();
    expect![[r#"
        root -- cancelled (dropped)
          wait_for {"n":1} -- cancelled (dropped)
            quick {"n":1} -> 1
          wait_for {"n":2} -- cancelled (dropped)
            quick {"n":2} -> 2"#]]
    .assert_eq(&trace.to_string());
}

#[test]
fn what_runs_when_its_recorder_goes_is_interrupted() {
    let (told, store, timbal) = told();
    let mut call = Box::pin(wait_for(1).recorded_by(&timbal));
    assert!(futures::FutureExt::now_or_never(call.as_mut()).is_none());
    let mut late = Box::pin(wait_for(2).recorded_by(&timbal)); // not written before the recorder goes
    assert_eq!(told.iter().take(2).last().unwrap(), "wait_for running");
    assert!(futures::FutureExt::now_or_never(late.as_mut()).is_none());
    drop(timbal);
    let rest: Vec<String> = told.iter().collect(); // to its end
    assert_eq!(rest, ["wait_for.quick success", "wait_for interrupted"]);
    drop((call, late)); // too late: what is written is not changed any more
    assert_eq!(store.len(), 4);
}

#[test]
fn exporters_get_finished_spans_only() {
    struct Statuses(Mutex<mpsc::Sender<String>>);
    impl Exporter for Statuses {
        fn export(&self, batch: &Batch) -> Result<(), ExportError> {
            let tell = self.0.lock().unwrap();
            batch.spans().try_for_each(|span| tell.send(span.status.to_string())).unwrap();
            Ok(())
        }
    }
    let ((tell, told), (tell_exported, exported)) = (mpsc::channel(), mpsc::channel());
    let store = Told { inner: MemoryStore::new(), tell: Mutex::new(tell) };
    let exporter = Statuses(Mutex::new(tell_exported));
    let timbal = Timbal::builder().store(store).exporter(exporter).build();
    let mut call = Box::pin(wait_for(1).recorded_by(&timbal));
    assert!(futures::FutureExt::now_or_never(call.as_mut()).is_none());
    assert_eq!(told.iter().take(2).last().unwrap(), "wait_for running");
    drop(call);
    poll_and_drop(1, timbal.flush());
    drop(timbal);
    assert_eq!(exported.iter().collect::<Vec<_>>(), ["success", "cancelled (dropped)"]);
}
