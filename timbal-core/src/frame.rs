//! `Frame`: a place that an error passed on its way out.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::path::Path;

/// How much of each end of a path a line shows, in bytes.
const MAX_PATH: usize = 500;

/// A place that an error passed on its way out of a call: where it stands, in which call, and the
/// code that failed.
///
/// Its clones share what they say.
#[derive(Clone)]
pub struct Frame(Arc<Place>);

struct Place {
    file: Cow<'static, str>,
    line: u32,
    column: u32,
    path: Path,
    text: Option<&'static str>,
}

impl Frame {
    /// In the call of this path, at this place.
    pub(crate) fn new(
        path: Path,
        (file, line, column): (Cow<'static, str>, u32, u32),
        text: Option<&'static str>,
    ) -> Self {
        Self(Arc::new(Place { file, line, column, path, text }))
    }

    /// In the call of this path, of which no more is known than where its function stands.
    pub(crate) fn of_call(path: Path) -> Self {
        let definition = path.definition;
        let place = (definition.file.into(), definition.line, definition.column);
        Self::new(path, place, None)
    }

    /// The source file, as the compiler names it.
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// The line, from 1.
    pub fn line(&self) -> u32 {
        self.0.line
    }

    /// The column, from 1: of a `?` that failed its own, otherwise where the code begins.
    pub fn column(&self) -> u32 {
        self.0.column
    }

    /// The path of the call.
    pub fn path(&self) -> String {
        self.0.path.join()
    }

    /// The code that failed, where it is known: `read(&path).await?`.
    pub fn text(&self) -> Option<&str> {
        self.0.text
    }

    /// About how many bytes of memory it takes, and its lines of a traceback.
    pub(crate) fn weight(&self) -> usize {
        // The path of the call is not joined for this: its names are about as long as one line.
        const NUMBERS_AND_PATH: usize = 100;
        let text = self.0.text.map_or(0, |text| text.len());
        size_of::<Self>() + size_of::<Place>() + NUMBERS_AND_PATH + self.0.file.len() + text
    }
}

/// Its lines of a traceback, without a line break at the end.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column, path, text } = &*self.0;
        write!(f, "  {file}:{line}:{column}, in {}", shortened(path.join()))?;
        text.map_or(Ok(()), |text| write!(f, "\n    {text}"))
    }
}

/// A path that is not too long for a line: of one that goes very deep, the first names and the last.
fn shortened(path: String) -> String {
    if path.len() <= 2 * MAX_PATH {
        return path;
    }
    let (head, tail) =
        (path.floor_char_boundary(MAX_PATH), path.ceil_char_boundary(path.len() - MAX_PATH));
    format!("{}…{}", &path[..head], &path[tail..])
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Frame");
        debug.field("file", &self.file()).field("line", &self.line());
        debug.field("column", &self.column()).field("path", &self.path());
        debug.field("text", &self.text()).finish()
    }
}
