//! What must hold of the events of every run, and of its trace, whatever the run did.

use std::collections::{BTreeMap, HashMap};

use timbal::{CallId, Event, OutputEvent, Span, Trace};

/// What is known of a call from the events so far.
struct Seen<'a> {
    path: &'a str,
    has_ended: bool,
}

/// What is wrong with the events of one run, which is over; nothing if all is well.
///
/// `outlives` says which calls, by their events, may end after the call that made them.
pub fn broken_by_events(events: &[Event], outlives: impl Fn(&Event) -> bool) -> Vec<String> {
    let mut calls: HashMap<CallId, Seen<'_>> = HashMap::new();
    let mut broken = Vec::new();
    for event in events {
        let wrong = broken_by_event(event, &calls, outlives(event));
        let of_another_run = event.run_id() != events[0].run_id();
        let wrong = wrong.or(of_another_run.then_some("is of another run"));
        broken.extend(wrong.map(|wrong| format!("{} {wrong}", event.path())));
        match (event, calls.get_mut(&event.call_id())) {
            (Event::Start(start), None) => {
                calls.insert(start.call_id, Seen { path: &start.path, has_ended: false });
            }
            (Event::Output(_), Some(seen)) => seen.has_ended = true,
            _ => {}
        }
    }
    let open = calls.values().filter(|seen| !seen.has_ended);
    broken.extend(open.map(|seen| format!("{} has no Output", seen.path)));
    broken
}

/// What is wrong with this event after those before.
fn broken_by_event(
    event: &Event,
    calls: &HashMap<CallId, Seen<'_>>,
    outlives: bool,
) -> Option<&'static str> {
    let parent = event.parent_call_id().map(|id| calls.get(&id));
    let is_late = matches!(parent, Some(Some(parent)) if parent.has_ended && !outlives);
    match (event, calls.get(&event.call_id())) {
        (Event::Start(_), Some(_)) => Some("starts twice"),
        (Event::Start(start), None) => match parent {
            None if calls.is_empty() => None,
            None => Some("is a second root"),
            Some(None) => Some("has a parent that has not started"),
            Some(Some(_)) if is_late => Some("starts after its parent has ended"),
            Some(Some(parent)) => {
                let above = start.path.rsplit_once('.').map(|(above, _)| above);
                (above != Some(parent.path)).then_some("is not below the path of its parent")
            }
        },
        (_, None) => Some("says something before its Start"),
        (_, Some(seen)) if seen.has_ended => Some("says something after its Output"),
        (Event::Output(_), _) if is_late => Some("ends after its parent"),
        (Event::Output(output), _) if output.t1 < output.t0 => Some("ends before it starts"),
        _ => None,
    }
}

/// What is wrong with a trace, given the events of its run; nothing if all is well.
pub fn broken_by_trace(
    trace: &Trace,
    events: &[Event],
    outlives: impl Fn(&Span) -> bool,
) -> Vec<String> {
    let mut broken = Vec::new();
    let spans: HashMap<CallId, &Span> = trace.spans.iter().map(|s| (s.call_id, s)).collect();
    let outputs = events.iter().filter_map(|event| match event {
        Event::Output(output) => Some(output),
        _ => None,
    });
    let mut ended = 0;
    for output in outputs {
        ended += 1;
        match spans.get(&output.call_id) {
            None => broken.push(format!("{} has no span", output.path)),
            Some(span) if OutputEvent::from(Span::clone(span)) != *output => {
                broken.push(format!("{} has a span that says otherwise", output.path));
            }
            Some(_) => {}
        }
    }
    if (ended, spans.len()) != (trace.spans.len(), trace.spans.len()) {
        let count = trace.spans.len();
        broken.push(format!("{count} spans of {} calls, and {ended} Outputs", spans.len()));
    }
    broken.extend(trace.spans.iter().flat_map(|span| broken_by_span(span, &spans, &outlives)));
    let loose = trace.spans.iter().any(&outlives);
    broken
        .extend(trace.spans.iter().filter(|_| !loose).flat_map(|span| broken_by_sums(span, trace)));
    let own = total(trace.spans.iter().map(|span| &span.usage_own));
    let root = trace.root().map(|root| &root.usage);
    if root.is_some_and(|root| root.iter().any(|(key, n)| own.get(key).is_none_or(|own| n > own))) {
        broken.push(format!("the root used {root:?}, and all calls together {own:?}"));
    }
    broken
}

fn broken_by_span(
    span: &Span,
    spans: &HashMap<CallId, &Span>,
    outlives: impl Fn(&Span) -> bool,
) -> Option<String> {
    let parent = spans.get(&span.parent_call_id?);
    let wrong = match parent {
        None => "has a parent that is not in the trace",
        Some(parent) if span.t0 < parent.t0 || span.seq <= parent.seq => "starts before its parent",
        Some(parent) if span.t1 > parent.t1 && !outlives(span) => "ends after its parent",
        Some(_) => return None,
    };
    Some(format!("{} {wrong}", span.path))
}

/// Of a trace in which nothing outlived anything.
fn broken_by_sums(span: &Span, trace: &Trace) -> Option<String> {
    let children = || trace.spans.iter().filter(|child| child.parent_call_id == Some(span.call_id));
    let usage = total(children().map(|child| &child.usage).chain([&span.usage_own]));
    let calls: u64 = children().map(|child| 1 + child.calls).sum();
    let (path, used) = (&span.path, &span.usage);
    if usage != *used {
        return Some(format!("{path} used {used:?}, and its parts {usage:?}"));
    }
    (calls != span.calls).then(|| format!("{path} made {} calls, and not {calls}", span.calls))
}

fn total<'a>(parts: impl Iterator<Item = &'a BTreeMap<String, u64>>) -> BTreeMap<String, u64> {
    let mut total = BTreeMap::new();
    for (key, amount) in parts.flatten() {
        let sum: &mut u64 = total.entry(key.clone()).or_default();
        *sum = sum.saturating_add(*amount);
    }
    total
}
