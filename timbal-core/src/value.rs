//! `value`: a call of a function that gives its value at once.

use crate::call::Probe;
use crate::definition::Defined;
use crate::lifecycle::Lifecycle;

/// Runs the body here and now, as a call of this runnable.
///
/// # Panics
///
/// If the body does: the call has ended then.
pub fn value<T>(definition: &'static Defined, body: impl FnOnce() -> T, probe: Probe<T>) -> T {
    let mut lifecycle = Lifecycle::new(definition);
    lifecycle.start_now();
    let output = lifecycle.run_now(body);
    lifecycle.end(|ending| probe(&output, ending));
    lifecycle.settle();
    output
}
