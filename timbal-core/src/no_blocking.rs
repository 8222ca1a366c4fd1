//! What stands for `blocking` where there is no tokio.

use std::future::Ready;

use crate::call::{Call, Probe};
use crate::definition::Defined;

/// What `#[runnable(blocking)]` needs.
#[diagnostic::on_unimplemented(
    message = "`#[runnable(blocking)]` needs the feature `tokio` of timbal",
    label = "runs on tokio's blocking pool"
)]
pub trait HasTokio {}

/// A call of this runnable, if there were a thread for it.
///
/// # Panics
///
/// Always: it does not compile.
pub fn blocking<T, M: HasTokio + FnOnce() -> T>(
    _: &'static Defined,
    _: M,
    _: Probe<T>,
) -> Call<Ready<T>> {
    unreachable!("nothing has tokio without the feature")
}
