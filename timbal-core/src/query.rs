//! `Answer`: what the thread says that reads from the stores.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{self, Sender};
use std::task::{Context, Poll, ready};

use futures_channel::oneshot;

use crate::store::StoreError;
use crate::{CallError, installed};

/// Asks one thread, which answers one question after the other. It ends when this is dropped and
/// all questions are answered.
pub(crate) struct Queries(Sender<Question>);

type Question = Box<dyn FnOnce() + Send>;

impl Queries {
    pub(crate) fn start(name: &str) -> Self {
        let (asking, questions) = mpsc::channel::<Question>();
        let thread = std::thread::Builder::new().name(name.to_owned());
        // Where no thread is to be had, `questions` is dropped here, and all answers are `Closed`.
        let _unless_refused = thread.spawn(move || {
            installed::keep_out();
            for question in questions {
                question();
            }
        });
        Self(asking)
    }

    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let (answer, answered) = oneshot::channel();
        let question = move || {
            let answered = catch_unwind(AssertUnwindSafe(question));
            let _if_somebody_waits =
                answer.send(answered.unwrap_or_else(|panic| {
                    Err(StoreError::panicked(&CallError::from_caught(panic)))
                }));
        };
        // If the thread is gone the question is dropped, and with it the side that answers.
        let _ = self.0.send(Box::new(question));
        Answer(answered)
    }
}

/// What a recorder was asked: a future that any executor can run.
///
/// The question was asked when this was made.
///
/// # Cancellation
///
/// What was asked is done also if this is dropped.
#[must_use = "an answer is there when this is awaited"]
#[derive(Debug)]
pub struct Answer<T>(oneshot::Receiver<Result<T, StoreError>>);

impl<T> Future for Answer<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answered = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(answered.unwrap_or(Err(StoreError::Closed)))
    }
}
