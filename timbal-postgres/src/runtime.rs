//! `Runtime`: the thread that talks to the server, for methods that wait.

use std::future::Future;
use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread with an executor of its own: who waits for it may do so in an executor, too.
pub(crate) struct Runtime {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Runtime {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, (stop, stopped)) = (runtime.handle().clone(), oneshot::channel());
        let thread = thread::Builder::new().name("timbal-postgres".to_owned());
        let thread = thread.spawn(move || {
            let _when_dropped = runtime.block_on(stopped);
        })?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Runs a future there, and waits for it. `None` if it panicked.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.handle.spawn(async move {
            let _if_somebody_waits = answer.send(future.await);
        });
        answered.recv().ok()
    }

    /// Runs a future there, as long as this lives.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(future);
    }
}

/// Its connections are closed then, and their locks are free.
impl Drop for Runtime {
    fn drop(&mut self) {
        drop(self.stop.take());
        let thread = self.thread.take().filter(|it| it.thread().id() != thread::current().id());
        let _ended = thread.map(JoinHandle::join);
    }
}
