//! `Failing`: what an open call knows of failures, until it is known what it fails with itself.

use std::collections::VecDeque;
use std::panic::Location;

use crate::frames::Frames;
use crate::path::Path;
use crate::record::Outcome;
use crate::{CallError, Frame};

/// How many failed calls a call remembers: so many of the first, and so many of the last.
const MAX_CHILDREN: usize = 32;

/// How many bytes the errors of those may take, about.
const MAX_BYTES: usize = 1 << 20;

/// A `?`, or a returned `Err(..)`, that has failed.
#[derive(Clone, Copy)]
pub(crate) struct Note {
    pub(crate) location: &'static Location<'static>,
    pub(crate) text: &'static str,
    /// The closure or the `async` block of the body that it stands in; 0 is the body itself.
    pub(crate) block: u32,
    /// The blocks that its failure can have come from, a bit each, and [`LEAVES`] and [`MADE`].
    pub(crate) flags: u64,
}

/// What fails in the note's block can be what the call fails with.
const LEAVES: u64 = 1 << 63;

/// The note is of an error that was made there, and not passed on.
const MADE: u64 = 1 << 62;

/// What an open call knows of failures. Nothing of it is there before the first one, and how much
/// there is has a bound.
#[derive(Clone, Default)]
pub(crate) struct Failing {
    /// How much was said: what is said later has a higher number.
    said: u64,
    /// The ways that failures went, at most one from each block.
    ways: Vec<Way>,
    children: Children,
    /// Where the call panicked.
    panicked_at: Option<(String, u32, u32)>,
    exit: Option<String>,
}

/// The notes that one failure passed, from the inside out.
#[derive(Clone, Default)]
struct Way {
    notes: Vec<Note>,
    at: u64,
}

/// The failed calls of a call.
#[derive(Clone, Default)]
struct Children {
    first: Vec<Child>,
    last: VecDeque<Child>,
    bytes: usize,
}

#[derive(Clone)]
struct Child {
    outcome: Outcome,
    at: u64,
}

impl Failing {
    /// A failure passes here. It goes on with the way of the one failure that can have come here; if
    /// there are several, it is not known which.
    pub(crate) fn note(&mut self, note: Note) {
        self.said += 1;
        let comes_here = |way: &&mut Way| note.flags & bit(way.block()) != 0;
        let mut before = self.ways.iter_mut().filter(comes_here);
        let mut way = match (before.next(), before.next()) {
            (Some(only), None) => std::mem::take(only),
            _ => Way::default(),
        };
        // What leaves the body leaves no other way; in a block, the last failure counts.
        self.ways.retain(|it| note.block != 0 && !it.notes.is_empty() && it.block() != note.block);
        way.notes.push(note);
        way.at = self.said;
        self.ways.push(way);
    }

    /// A call that this one made has failed. What has no place is given back.
    pub(crate) fn child(&mut self, outcome: Outcome) -> Vec<Outcome> {
        self.said += 1;
        self.children.push(Child { outcome, at: self.said })
    }

    /// The call panics here.
    pub(crate) fn panic_at(&mut self, place: (String, u32, u32)) {
        self.panicked_at = Some(place);
    }

    /// The call says that it has nothing more to do.
    pub(crate) fn exit(&mut self, message: &str) {
        self.exit = Some(message.to_owned());
    }

    /// How the call ends that fails with this error.
    pub(crate) fn outcome(self, error: CallError, path: Path) -> Outcome {
        // What leaves the body is the last note, or it left where there is none.
        let leaves =
            |way: &&Way| way.notes.last().is_some_and(|it| it.flags & LEAVES != 0 || it.block == 0);
        let way = self.ways.iter().filter(leaves).max_by_key(|way| way.at);
        let child = self.origin(&error, way);
        let own = way.map_or_else(
            || vec![Frame::of_call(path.clone())],
            |way| way.notes.iter().rev().map(|note| note.frame(path.clone())).collect(),
        );
        let exit = error.exit().map(str::to_owned);
        let exit = exit.or_else(|| self.exit.clone().filter(|exit| error.says(exit)));
        let exit = exit.or_else(|| child.and_then(Outcome::exit).map(str::to_owned));
        if let Some(message) = exit {
            return Outcome::Exited(CallError::of_exit(message));
        }
        Outcome::Error(error.with_frames(Frames::new(own, child.and_then(Outcome::frames))))
    }

    /// How the call ends that panicked.
    pub(crate) fn outcome_of_panic(self, error: CallError, path: Path) -> Outcome {
        let child = self.children.find(&error, None);
        let own = match self.panicked_at {
            Some((file, line, column)) => Frame::new(path, (file.into(), line, column), None),
            None => Frame::of_call(path),
        };
        Outcome::Error(error.with_frames(Frames::new(vec![own], child.and_then(Outcome::frames))))
    }

    /// The child that the error came from.
    ///
    /// A traceback goes on into that failed child of the call that ended last whose message is, or
    /// is contained in, what the call's error or one of its sources says, and that ended, or gave the
    /// item that was its error, before the call's last note; but an `Err` that was made in place, and
    /// has no source, came from no child.
    fn origin(&self, error: &CallError, way: Option<&Way>) -> Option<&Outcome> {
        let last = way.and_then(|way| way.notes.last());
        if last.is_some_and(|note| note.flags & MADE != 0) && error.causes().is_empty() {
            return None;
        }
        self.children.find(error, way.map(|way| way.at))
    }
}

impl Children {
    fn push(&mut self, child: Child) -> Vec<Outcome> {
        self.bytes += child.outcome.weight();
        if self.first.len() < MAX_CHILDREN && self.last.is_empty() {
            self.first.push(child);
        } else {
            self.last.push_back(child);
        }
        let mut removed = Vec::new();
        while self.last.len() > MAX_CHILDREN || self.bytes > MAX_BYTES {
            let Some(child) = self.evict() else { break };
            self.bytes -= child.outcome.weight();
            removed.push(child.outcome);
        }
        removed
    }

    /// Makes room; the one that failed last stays, however large it is.
    fn evict(&mut self) -> Option<Child> {
        if self.last.len() > 1 {
            return self.last.pop_front();
        }
        let has_others = self.first.len() + self.last.len() > 1;
        has_others.then(|| self.first.remove(0))
    }

    /// The last that says a part of what the error says, of those that ended before this.
    fn find(&self, error: &CallError, before: Option<u64>) -> Option<&Outcome> {
        let last_first = self.last.iter().rev().chain(self.first.iter().rev());
        let mut early = last_first.filter(|child| before.is_none_or(|before| child.at < before));
        early
            .find(|child| child.outcome.message().is_some_and(|message| error.says(message)))
            .map(|child| &child.outcome)
    }
}

impl Way {
    /// The block that it has come to.
    fn block(&self) -> u32 {
        self.notes.last().map_or(0, |note| note.block)
    }
}

impl Note {
    fn frame(&self, path: Path) -> Frame {
        let at = self.location;
        Frame::new(path, (at.file().into(), at.line(), at.column()), Some(self.text))
    }
}

/// The bit of a block; the body itself has none, as nothing comes back from there.
fn bit(block: u32) -> u64 {
    if block == 0 { 0 } else { 1 << (block - 1) }
}
