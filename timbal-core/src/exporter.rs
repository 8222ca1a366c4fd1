//! `Exporter`: what sends finished spans to another system.

use std::error::Error;
use std::fmt;

use crate::{Batch, CallError};

/// Sends finished spans to another system, and never reads them back.
///
/// It may block, fail and panic: it has a thread of its own and a bounded queue before it, so it
/// touches neither the calls nor the stores. What fails is tried again, in order and with growing
/// pauses. While its queue is full, spans pass it by, which [`Health::not_exported`] counts. What it
/// calls on that thread is not recorded by the recorder of the process: it would never end.
///
/// [`Health::not_exported`]: crate::Health::not_exported
///
/// # Examples
///
/// ```
/// use timbal_core::{Batch, ExportError, Exporter, Timbal};
///
/// struct Counted(std::sync::mpsc::Sender<usize>);
///
/// impl Exporter for Counted {
///     fn export(&self, batch: &Batch) -> Result<(), ExportError> {
///         self.0.send(batch.len()).map_err(ExportError::failed)
///     }
/// }
///
/// let (sender, counts) = std::sync::mpsc::channel();
/// let timbal = Timbal::builder().exporter(Counted(sender)).build();
/// # futures::executor::block_on(async {
/// timbal_core::call!("root", async {}).recorded_by(&timbal).await;
/// # });
/// assert_eq!(counts.recv(), Ok(1));
/// ```
pub trait Exporter: Send + Sync + 'static {
    /// Sends these spans.
    ///
    /// # Errors
    ///
    /// If they could not be sent. The recorder then tries again, later and with the same batch.
    fn export(&self, batch: &Batch) -> Result<(), ExportError>;
}

/// What an exporter could not do.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportError {
    /// The exporter said so.
    Failed(Box<dyn Error + Send + Sync>),
    /// The exporter panicked, with this message.
    Panicked(String),
}

impl ExportError {
    /// The exporter failed because of this.
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }

    pub(crate) fn panicked(panic: &CallError) -> Self {
        Self::Panicked(panic.message().to_owned())
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "the exporter failed: {error}"),
            Self::Panicked(message) => write!(f, "the exporter panicked: {message}"),
        }
    }
}

impl Error for ExportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(&**error),
            Self::Panicked(_) => None,
        }
    }
}
