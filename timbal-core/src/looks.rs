//! `Looks`: which calls are written before they have ended.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::CallId;
use crate::ledger::Ledger;
use crate::record::{Outcome, Record};

/// How often the writer looks at the calls that are open.
const PERIOD: Duration = Duration::from_millis(250);

/// A call that it sees so often has been open for a second at least, and for a period more at most.
const SEEN: u8 = 5;

/// When the writer looks at the open calls, and which of them it then writes: each that has been open
/// for a second, once, with the open calls above it. No clock of a run is asked, as these may be moved.
pub(crate) struct Looks {
    next: Instant,
}

impl Looks {
    pub(crate) fn new() -> Self {
        Self { next: Instant::now() + PERIOD }
    }

    /// When the writer is to look again.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// Looks, if it is time.
    pub(crate) fn look(&mut self, ledger: &Ledger) -> Vec<Record> {
        if Instant::now() < self.next {
            return Vec::new();
        }
        self.next = Instant::now() + PERIOD;
        in_order(look(ledger))
    }

    /// The calls that were written as open ones and have not ended: they are not followed any more.
    pub(crate) fn interrupted(ledger: &Ledger) -> Vec<Record> {
        let mut found = Vec::new();
        ledger.visit(|record| {
            if record.outcome.looks().is_some_and(|looks| looks >= SEEN) {
                found.push(Record { outcome: Outcome::Interrupted, ..record.clone() });
            }
        });
        in_order(found)
    }
}

/// Runs together, and in the order of their starts: calls above come first.
fn in_order(mut found: Vec<Record>) -> Vec<Record> {
    found.sort_by_key(|record| (record.run_id, record.seq));
    found
}

/// Sees all open calls once more, and gives those that it has now seen often enough.
fn look(ledger: &Ledger) -> Vec<Record> {
    let mut found = Vec::new();
    ledger.visit(|record| {
        let Some(looks) = record.outcome.looks().filter(|looks| *looks < SEEN) else { return };
        record.outcome = Outcome::Open { looks: looks + 1 };
        if looks + 1 == SEEN {
            found.push(record.clone());
        }
    });
    // A call above may stand where this looked just before it was entered: then it was seen once less.
    let mut of = 0;
    while let Some(missing) = callers(&found, of) {
        of = found.len();
        ledger.visit(|record| {
            let is_unwritten = record.outcome.looks().is_some_and(|looks| looks < SEEN);
            if is_unwritten && missing.contains(&record.id) {
                record.outcome = Outcome::Open { looks: SEEN };
                found.push(record.clone());
            }
        });
    }
    found
}

/// The calls that made these, from the first that is meant on, and are not among them.
fn callers(found: &[Record], of: usize) -> Option<HashSet<CallId>> {
    let ids: HashSet<CallId> = found.iter().map(|record| record.id).collect();
    let caller = |record: &Record| record.path.above.as_ref().and_then(|above| above.caller);
    let callers = found[of..].iter().filter_map(caller).filter(|id| !ids.contains(id));
    let callers: HashSet<CallId> = callers.collect();
    (!callers.is_empty()).then_some(callers)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::intake::Intake;
    use crate::lifecycle::Lifecycle;
    use crate::{OutputEvent, Timbal, annotate, definition};

    /// A call that has started, the call that it made, and who hears of them: no writer looks.
    fn two_calls() -> (Lifecycle, Lifecycle, Arc<Intake>) {
        let intake = Arc::new(Timbal::builder().into_parts().intake);
        let mut root = Lifecycle::new(definition!("root"));
        root.settings().recorder = Some(Arc::clone(&intake));
        root.start_now();
        let mut child = root.run(|| {
            annotate::no_input();
            Lifecycle::new(definition!("child"))
        });
        child.start_now();
        child.run(annotate::no_input);
        (root, child, intake)
    }

    /// What a look finds.
    fn found(intake: &Intake) -> Vec<String> {
        show(in_order(look(&intake.ledger)))
    }

    fn show(found: Vec<Record>) -> Vec<String> {
        let show = |event: OutputEvent| format!("{} {}", event.path, event.status);
        found.iter().map(|record| show(record.output_event())).collect()
    }

    #[test]
    fn a_call_is_written_once_when_it_was_seen_often_enough() {
        let (_root, _child, intake) = two_calls();
        (1..SEEN).for_each(|_| assert_eq!(found(&intake), [""; 0]));
        assert_eq!(found(&intake), ["root running", "root.child running"]);
        assert_eq!(found(&intake), [""; 0]);
    }

    #[test]
    fn a_call_that_ended_before_was_not_seen() {
        let (root, child, intake) = two_calls();
        (1..SEEN).for_each(|_| drop(found(&intake)));
        drop(child);
        assert_eq!(found(&intake), ["root running"]);
        drop(root);
        assert_eq!(show(Looks::interrupted(&intake.ledger)), [""; 0]);
    }

    #[test]
    fn the_calls_above_are_written_also_if_they_were_seen_less_often() {
        let (_root, _child, intake) = two_calls();
        (1..SEEN).for_each(|_| drop(found(&intake)));
        intake.ledger.visit(|record| {
            if record.path.join() == "root" {
                record.outcome = Outcome::Open { looks: SEEN - 2 };
            }
        });
        assert_eq!(found(&intake), ["root running", "root.child running"]);
    }

    #[test]
    fn only_what_was_written_is_interrupted() {
        let (_root, _child, intake) = two_calls();
        assert_eq!(show(Looks::interrupted(&intake.ledger)), [""; 0]);
        (0..SEEN).for_each(|_| drop(found(&intake)));
        let expected = ["root interrupted", "root.child interrupted"];
        assert_eq!(show(Looks::interrupted(&intake.ledger)), expected);
    }
}
