//! What is dropped, in order.

use std::cell::RefCell;

use serde::Serialize;

thread_local! {
    static DROPPED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Writes its letter when it is dropped.
#[derive(Serialize)]
pub struct Noted(pub char);

impl Drop for Noted {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

/// The letters that this thread has dropped since this was last asked.
pub fn take() -> String {
    DROPPED.take()
}
