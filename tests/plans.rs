//! Plans: workflows as data, for tests that make them up.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures::future::{BoxFuture, join_all, select};
use futures::{Stream, StreamExt, stream};
use timbal::{Call, runnable};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What one call does, in turn, and how it ends.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Names the call: its input and, if it returns, its output.
    pub id: u32,
    /// What it does.
    pub steps: Vec<Step>,
    /// How it ends, if it comes so far.
    pub end: End,
}

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It returns its id.
    Return,
    /// It returns an error.
    Fail,
    /// It panics.
    Panic,
}

/// What a call does.
#[derive(Debug, Clone)]
pub enum Step {
    /// Emits a chunk.
    Chunk,
    /// Uses so much.
    Use(u64),
    /// Is pending, once.
    Pause,
    /// Makes a call, whatever comes of it.
    Call(Plan),
    /// Makes a call, and fails if that does.
    Try(Plan),
    /// Makes calls at the same time.
    Join(Vec<Plan>),
    /// Polls a call at most so often, and drops it.
    Drop(Plan, u32),
    /// Makes calls at the same time, and drops the one that is not the first to end.
    Race(Plan, Plan),
    /// Gives a call no time.
    Timeout(Plan),
    /// Makes a stream of so many items, takes so many of them, and drops it.
    Items(u32, u32),
    /// Makes calls on tasks of their own.
    Spawn(Vec<Plan>),
    /// Makes a call on a task of its own, and aborts it.
    Abort(Plan),
    /// Makes a call on a task of its own, and does not wait for it.
    Loose(Plan),
    /// Leaves work behind on a task that is no call, and says so often something there.
    Murmur(u32),
}

/// A call that was to fail has failed.
#[derive(Debug, thiserror::Error)]
#[error("call {0} was to fail")]
pub struct Failed(pub u32);

/// Somebody is at work still: when all clones are gone, all has been said.
pub type Alive = mpsc::Sender<()>;

/// Does what the plan says.
#[runnable(boxed)]
pub async fn work(id: u32, #[skip] plan: Plan, #[skip] alive: Alive) -> Result<u32, Failed> {
    run(id, plan, alive).await
}

/// The same on a task of its own, where it may outlive the call that made it.
#[runnable(boxed)]
async fn task(id: u32, #[skip] plan: Plan, #[skip] alive: Alive) -> Result<u32, Failed> {
    run(id, plan, alive).await
}

async fn run(id: u32, plan: Plan, alive: Alive) -> Result<u32, Failed> {
    for step in plan.steps {
        take(id, step, &alive).await?;
    }
    match plan.end {
        End::Return => Ok(id),
        End::Fail => Err(Failed(id)),
        // Without the hook, which would print it.
        End::Panic => std::panic::resume_unwind(Box::new("it was to panic")),
    }
}

/// A call of this plan.
pub fn call(plan: &Plan, alive: &Alive) -> Call<BoxFuture<'static, Result<u32, Failed>>> {
    work(plan.id, plan.clone(), alive.clone())
}

/// A task of it.
fn spawn(plan: &Plan, alive: &Alive) -> JoinHandle<Result<u32, Failed>> {
    let call = task(plan.id, plan.clone(), alive.clone());
    let alive = alive.clone();
    tokio::spawn(async move {
        let _until_its_output = alive;
        call.await
    })
}

/// Whether this path is of a call on a task of its own.
pub fn is_task(path: &str) -> bool {
    path.ends_with(".task")
}

async fn take(id: u32, step: Step, alive: &Alive) -> Result<(), Failed> {
    let of = |plan: &Plan| call(plan, alive);
    let spawn = |plan: &Plan| spawn(plan, alive);
    match &step {
        Step::Chunk => timbal::emit(id).await,
        Step::Use(units) => timbal::usage("units", *units),
        Step::Pause => pause().await,
        Step::Call(plan) => drop(of(plan).await),
        Step::Try(plan) => drop(of(plan).await?),
        Step::Join(plans) => drop(join_all(plans.iter().map(of)).await),
        Step::Drop(plan, polls) => poll_at_most(*polls, Box::pin(of(plan))).await,
        Step::Race(one, other) => drop(select(Box::pin(of(one)), Box::pin(of(other))).await),
        Step::Timeout(plan) => drop(of(plan).timeout(Duration::ZERO).await),
        Step::Items(of, taken) => drop(items(*of).take(*taken as usize).count().await),
        Step::Spawn(plans) => drop(join_all(plans.iter().map(spawn)).await),
        Step::Abort(plan) => {
            let task = spawn(plan);
            pause().await;
            task.abort();
            drop(task.await);
        }
        Step::Loose(plan) => drop(spawn(plan)),
        Step::Murmur(times) => murmur(*times, alive.clone()),
    }
    Ok(())
}

fn murmur(times: u32, alive: Alive) {
    drop(timbal::spawn(async move {
        let _until_it_is_over = alive;
        for n in 0..times {
            timbal::emit(n).await;
            timbal::usage("units", 1);
            pause().await;
        }
    }));
}

#[runnable]
fn items(of: u32) -> impl Stream<Item = u32> {
    stream::iter(0..of).then(|n| async move {
        pause().await;
        timbal::usage("units", 1);
        n
    })
}

/// Is pending, once.
async fn pause() {
    let mut is_first = true;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await
}

async fn poll_at_most<F: Future + ?Sized>(polls: u32, mut future: Pin<Box<F>>) {
    for _ in 0..polls {
        if futures::poll!(future.as_mut()).is_ready() {
            return;
        }
    }
}
