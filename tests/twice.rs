//! The same files, compiled with an attribute that does nothing and with `#[runnable]`, do the same.

use futures::executor::block_on;

mod plain {
    pub(crate) mod calls {
        use timbal_untouched::runnable;

        include!("twice/calls.rs");
    }

    pub(crate) mod drops {
        use timbal_untouched::runnable;

        include!("twice/drops.rs");
    }
}

mod observed {
    pub(crate) mod calls {
        use timbal::runnable;

        include!("twice/calls.rs");
    }

    pub(crate) mod drops {
        use timbal::runnable;

        include!("twice/drops.rs");
    }
}

#[tokio::test(start_paused = true)]
async fn ordinary_code_does_the_same() {
    let local = tokio::task::LocalSet::new();
    let [plain, observed] = [
        local.run_until(plain::calls::transcript()).await,
        local.run_until(observed::calls::transcript()).await,
    ];
    assert_eq!(observed, plain);
    assert!(plain.lines().count() > 40, "{plain}");
}

/// The same in a call, where somebody reads: then all of it is recorded.
#[tokio::test(start_paused = true)]
async fn ordinary_code_does_the_same_where_it_is_recorded() {
    let local = tokio::task::LocalSet::new();
    let plain = local.run_until(plain::calls::transcript()).await;
    let call = timbal::call!("in", observed::calls::transcript());
    let (observed, trace) = local.run_until(call.traced()).await;
    assert_eq!(observed, plain);
    assert!(trace.spans.len() > 80, "{trace}");
}

#[test]
fn parameters_are_dropped_at_the_same_moment() {
    for polls in 0..4 {
        let [plain, observed] =
            [plain::drops::transcript(polls), observed::drops::transcript(polls)];
        assert_eq!(observed, plain, "after {polls} polls");
        assert!(plain.lines().count() == 14, "{plain}");
    }
}

#[test]
fn parameters_are_dropped_at_the_same_moment_where_they_are_recorded() {
    for polls in 0..4 {
        let plain = plain::drops::transcript(polls);
        let body = async { observed::drops::transcript(polls) };
        assert_eq!(block_on(timbal::call!("in", body).traced()).0, plain, "after {polls} polls");
    }
}
