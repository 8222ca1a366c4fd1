//! `Trace`: all spans of one run, and the tree that they make.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use crate::{CallId, RunId, Span};

/// How much of a payload or message the drawn tree shows, in characters.
const MAX_SHOWN: usize = 100;

/// All spans of one run.
///
/// `Display` draws the tree, a line a call: its name, input, and output or error. `{:#}` adds how
/// long each call took, what it used, and at its end the traceback of the run, if it has failed. Spans
/// whose parent is missing are drawn at the margin.
///
/// ```text
/// sum_of_doubles {"a":1,"b":2} -> 6
///   double {"n":1} -> 2
///   double {"n":2} -> 4
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trace {
    /// The run.
    pub run_id: RunId,
    /// The run that this run goes on from.
    pub parent_run_id: Option<RunId>,
    /// The spans of the run's calls, in the order of their starts.
    pub spans: Vec<Span>,
}

impl Trace {
    /// The trace of these spans of one run, put in the order of their starts.
    ///
    /// `None` if there are no spans.
    pub fn new(mut spans: Vec<Span>) -> Option<Self> {
        spans.sort_by_key(|span| (span.t0, span.seq));
        let first = spans.first()?;
        let (run_id, parent_run_id) = (first.run_id, first.parent_run_id);
        Some(Self { run_id, parent_run_id, spans })
    }

    /// The span of the call that the others came from: the first whose parent is not in the trace.
    ///
    /// `None` only of a trace without spans.
    pub fn root(&self) -> Option<&Span> {
        self.tree().roots.into_iter().next()
    }

    /// The spans of the calls that this call made, in the order of their starts.
    pub fn children(
        &self,
        call_id: CallId,
    ) -> impl ExactSizeIterator<Item = &Span> + DoubleEndedIterator + use<'_> {
        let is_child = |span: &&Span| span.parent_call_id == Some(call_id);
        self.spans.iter().filter(is_child).collect::<Vec<_>>().into_iter()
    }

    /// The first span with this path.
    pub fn find(&self, path: &str) -> Option<&Span> {
        self.spans.iter().find(|span| span.path == path)
    }

    fn tree(&self) -> Tree<'_> {
        let ids: HashSet<CallId> = self.spans.iter().map(|span| span.call_id).collect();
        let mut tree = Tree { roots: Vec::new(), children: HashMap::new() };
        for span in &self.spans {
            match span.parent_call_id {
                // A span that names itself as its parent would never be drawn.
                Some(parent) if ids.contains(&parent) && parent != span.call_id => {
                    tree.children.entry(parent).or_default().push(span);
                }
                _ => tree.roots.push(span),
            }
        }
        tree
    }
}

/// The spans of a trace, by the call that made them.
struct Tree<'a> {
    roots: Vec<&'a Span>,
    children: HashMap<CallId, Vec<&'a Span>>,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tree = self.tree();
        // Runs may be deeper than the stack.
        let mut open: Vec<(usize, &Span)> =
            tree.roots.iter().rev().map(|span| (0, *span)).collect();
        let mut first = true;
        while let Some((depth, span)) = open.pop() {
            if !std::mem::take(&mut first) {
                f.write_char('\n')?;
            }
            write!(f, "{:indent$}", "", indent = depth * 2)?;
            draw(span, f)?;
            let children = tree.children.remove(&span.call_id).unwrap_or_default();
            open.extend(children.into_iter().rev().map(|child| (depth + 1, child)));
        }
        match tree.roots.first() {
            Some(root) if f.alternate() => draw_traceback(root, f),
            _ => Ok(()),
        }
    }
}

/// The lines of the traceback of its error.
fn draw_traceback(span: &Span, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut lines = span.error.iter().flat_map(|error| error.traceback().lines());
    lines.try_for_each(|line| write!(f, "\n{}", line.replace(char::is_control, " ")))
}

/// One span in one line.
fn draw(span: &Span, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(span.name())?;
    if !span.input.is_null() {
        write!(f, " {}", Shown(span.input.as_json()))?;
    }
    match &span.error {
        Some(error) => write!(f, " !! {}", Shown(&error.to_string()))?,
        None if span.status.is_success() => write!(f, " -> {}", Shown(span.output.as_json()))?,
        None => write!(f, " -- {}", Shown(&span.status.to_string()))?,
    }
    if f.alternate() {
        write!(f, "  ({:.1?}", span.elapsed())?;
        for (key, amount) in &span.usage {
            write!(f, ", {amount} {key}")?;
        }
        f.write_char(')')?;
    }
    Ok(())
}

/// A text in one line: the first characters of it, without control characters.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(MAX_SHOWN) {
            f.write_char(if character.is_control() { ' ' } else { character })?;
        }
        if characters.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}
