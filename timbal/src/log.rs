//! `Log`: a subscriber that writes events for people, or for programs.

use std::fmt::{self, Write as _};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use anstream::{AutoStream, StripStream};
use anstyle::{AnsiColor, Style};
use timbal_core::{ChunkEvent, Event, OutputEvent, StartEvent, StatusCode, Subscriber};

const DIM: Style = Style::new().dimmed();
const NAME: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const WARN: Style = AnsiColor::Yellow.on_default();

/// How much of a payload a line shows, in characters.
const MAX_SHOWN: usize = 200;

/// A subscriber that writes a line an event to standard error, or elsewhere.
///
/// What cannot be written, as when nobody reads the other end of a pipe, is passed over.
///
/// # Examples
///
/// ```
/// let timbal = timbal::Timbal::builder().subscriber(timbal::Log::new()).build();
/// # drop(timbal);
/// ```
pub struct Log {
    format: LogFormat,
    events: Vec<EventKind>,
    out: Mutex<Box<dyn Write + Send>>,
}

/// How a [`Log`] writes events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people: indented by depth, in colour on a terminal, errors in full.
    #[default]
    Dev,
    /// For programs: an event a line, as JSON.
    Json,
}

/// The events that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    Start,
    Chunk,
    Output,
}

impl Log {
    /// Writes Start and Output events for people, to standard error: in colour if that is a
    /// terminal and `NO_COLOR` is not set.
    pub fn new() -> Self {
        Self::with_out(AutoStream::auto(std::io::stderr()))
    }

    /// Writes to this, without colour.
    pub fn to(out: impl Write + Send + 'static) -> Self {
        Self::with_out(StripStream::new(Box::new(out) as Box<dyn Write + Send>))
    }

    fn with_out(out: impl Write + Send + 'static) -> Self {
        let events = vec![EventKind::Start, EventKind::Output];
        Self { format: LogFormat::Dev, events, out: Mutex::new(Box::new(out)) }
    }

    /// Writes in this format.
    #[must_use]
    pub fn with_format(mut self, format: LogFormat) -> Self {
        self.format = format;
        self
    }

    /// Writes chunks too.
    #[must_use]
    pub fn with_chunks(mut self) -> Self {
        self.events.push(EventKind::Chunk);
        self
    }

    /// Writes these events only.
    pub(crate) fn with_events(mut self, events: Vec<EventKind>) -> Self {
        self.events = events;
        self
    }

    fn lines(&self, event: &Event) -> Result<String, fmt::Error> {
        let kind = match event {
            Event::Start(_) => EventKind::Start,
            Event::Chunk(_) => EventKind::Chunk,
            Event::Output(_) => EventKind::Output,
            _ => return Ok(String::new()),
        };
        let mut lines = String::new();
        if !self.events.contains(&kind) {
            return Ok(lines);
        }
        match (self.format, event) {
            (LogFormat::Json, _) => {
                let json = serde_json::to_string(event).map_err(|_| fmt::Error)?;
                // A line can only end between two values: what was captured as raw JSON may have such.
                lines.push_str(&json.replace('\n', " "));
                lines.push('\n');
            }
            (LogFormat::Dev, Event::Start(event)) => start(&mut lines, event)?,
            (LogFormat::Dev, Event::Chunk(event)) => chunk(&mut lines, event)?,
            (LogFormat::Dev, Event::Output(event)) => output(&mut lines, event)?,
            (LogFormat::Dev, _) => {}
        }
        Ok(lines)
    }
}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Log");
        debug.field("format", &self.format).field("events", &self.events).finish_non_exhaustive()
    }
}

impl Subscriber for Log {
    fn on_event(&self, event: &Event) {
        // Formatting into a `String` fails only if an event cannot be JSON, and none is such.
        let Ok(lines) = self.lines(event) else { return };
        if !lines.is_empty() {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            let _nobody_to_tell = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
        }
    }
}

/// `  read started`
fn start(lines: &mut String, event: &StartEvent) -> fmt::Result {
    let name = Name(&event.path);
    writeln!(lines, "{name} {DIM}started{DIM:#}")
}

/// `  read ~ "half of it"`
fn chunk(lines: &mut String, event: &ChunkEvent) -> fmt::Result {
    writeln!(lines, "{} {DIM}~{DIM:#} {}", Name(&event.path), Shown(event.chunk.as_json()))
}

/// `  read {"path":"a"} -> 3 in 1.2ms, 5 bytes`, and the traceback of an error.
fn output(lines: &mut String, event: &OutputEvent) -> fmt::Result {
    write!(lines, "{}", Name(&event.path))?;
    if !event.input.is_null() {
        write!(lines, " {DIM}{}{DIM:#}", Shown(event.input.as_json()))?;
    }
    match event.status.code {
        StatusCode::Success => {
            write!(lines, " {GOOD}->{GOOD:#} {}", Shown(event.output.as_json()))?
        }
        StatusCode::Error => write!(lines, " {BAD}failed{BAD:#}")?,
        _ => write!(lines, " {WARN}{}{WARN:#}", Shown(&event.status.to_string()))?,
    }
    write!(lines, " {DIM}in {:.1?}{DIM:#}", event.elapsed())?;
    for (key, amount) in &event.usage {
        write!(lines, "{DIM}, {amount} {}{DIM:#}", Shown(key))?;
    }
    lines.push('\n');
    let depth = depth(&event.path);
    for line in event.error.iter().flat_map(|error| error.traceback().lines()) {
        writeln!(lines, "{:indent$}{BAD}{}{BAD:#}", "", Plain(line), indent = depth * 2 + 2)?;
    }
    Ok(())
}

fn depth(path: &str) -> usize {
    path.matches('.').count()
}

/// The last name of a path, indented by its depth.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.rsplit('.').next().unwrap_or(self.0);
        write!(f, "{:indent$}{NAME}{}{NAME:#}", "", Plain(name), indent = depth(self.0) * 2)
    }
}

/// A text without what could take control of a terminal.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().filter(|character| !character.is_control()).try_for_each(|c| f.write_char(c))
    }
}

/// The first characters of a text, without what could take control of a terminal.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(MAX_SHOWN) {
            Some((end, _)) => write!(f, "{}…", Plain(&self.0[..end])),
            None => Plain(self.0).fmt(f),
        }
    }
}
