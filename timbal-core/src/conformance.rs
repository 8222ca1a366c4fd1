//! What every store does: tests for authors of stores, one a property.
//!
//! [`store_conformance!`](crate::store_conformance) writes them all as tests, [`check`] runs them all
//! in one. They need stores that are empty and keep what they are given, at least some 20,000 spans
//! and 20 MiB.
//!
//! # Examples
//!
//! ```
//! mod my_store_conforms {
//!     timbal_core::store_conformance!(timbal_core::MemoryStore::new());
//! }
//!
//! // Or all in one:
//! timbal_core::conformance::check(timbal_core::MemoryStore::new);
//! ```

mod runs;
mod sample;
mod spans;
mod stats;

use crate::Store;

pub use runs::{
    a_page_ends_where_its_time_does, a_run_is_summed_up_by_its_first_call,
    pages_have_each_run_once, runs_are_filtered, runs_come_newest_first, texts_are_found,
    the_oldest_runs_go_until_it_fits, too_old_runs_go,
};
pub use spans::{
    a_batch_may_be_large, a_payload_may_be_large, a_span_put_again_is_replaced,
    an_empty_store_has_nothing, many_may_put_at_once, spans_come_back_as_they_were,
    spans_come_in_the_order_of_their_starts, strange_texts_come_back_as_they_were,
    the_same_call_id_in_two_runs_is_two_calls,
};
pub use stats::{
    every_path_is_named_once, percentiles_are_of_calls, stats_are_of_the_time_asked_for,
    times_are_counted_in_buckets, usage_is_summed_with_and_without_calls_below,
};

/// Tests a store in all its properties, each with a new store.
///
/// # Panics
///
/// If it does not have one of them: the message says which.
pub fn check<S: Store>(mut make: impl FnMut() -> S) {
    for (name, property) in PROPERTIES {
        let tested = std::panic::AssertUnwindSafe(|| property(&make()));
        if std::panic::catch_unwind(tested).is_err() {
            panic!("the store does not conform: {name}");
        }
    }
}

/// Writes the list of the properties, and the macro that makes a test of each.
macro_rules! properties {
    ($dollar:tt $($name:ident,)*) => {
        /// All properties, by name.
        pub const PROPERTIES: &[(&str, fn(&dyn Store))] = &[$((stringify!($name), $name)),*];

        /// Writes a test for each property of a store: `store_conformance!(MyStore::new())`. The
        /// expression makes a new, empty store each time.
        #[macro_export]
        macro_rules! store_conformance {
            ($dollar make:expr) => {$(
                #[test]
                fn $name() {
                    $crate::conformance::$name(&$dollar make);
                }
            )*};
        }
    };
}

properties! { $
    a_batch_may_be_large,
    a_page_ends_where_its_time_does,
    a_payload_may_be_large,
    a_run_is_summed_up_by_its_first_call,
    a_span_put_again_is_replaced,
    an_empty_store_has_nothing,
    every_path_is_named_once,
    many_may_put_at_once,
    pages_have_each_run_once,
    percentiles_are_of_calls,
    runs_are_filtered,
    runs_come_newest_first,
    spans_come_back_as_they_were,
    spans_come_in_the_order_of_their_starts,
    stats_are_of_the_time_asked_for,
    strange_texts_come_back_as_they_were,
    texts_are_found,
    the_oldest_runs_go_until_it_fits,
    the_same_call_id_in_two_runs_is_two_calls,
    times_are_counted_in_buckets,
    too_old_runs_go,
    usage_is_summed_with_and_without_calls_below,
}
