//! `JsonlExporter` and `JsonlReader`: finished spans in a file, one a line.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::exporter::{ExportError, Exporter};
use crate::{Batch, Span};

/// Appends finished spans to a file, one a line, as JSON.
///
/// Several processes may append to one file: each locks it while it writes. A batch that could not be
/// written whole is taken back, and a line that another process left unfinished is closed first, so
/// that it harms no other line. The file is made readable by its owner only, where there are owners; it
/// is not synced, so it survives the process and not the machine.
///
/// # Examples
///
/// ```
/// use timbal_core::{JsonlExporter, JsonlReader, Timbal};
///
/// # let path = std::env::temp_dir().join(format!("timbal-example-{}.jsonl", std::process::id()));
/// let timbal = Timbal::builder().exporter(JsonlExporter::open(&path)?).build();
/// # futures::executor::block_on(async {
/// timbal_core::call!("root", async {}).recorded_by(&timbal).await;
/// timbal.flush().await.unwrap();
/// # });
/// for span in JsonlReader::open(&path)? {
///     assert_eq!(span?.path, "root");
/// }
/// # std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct JsonlExporter {
    file: Mutex<File>,
}

impl JsonlExporter {
    /// Appends to this file, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be opened for reading and writing.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self { file: Mutex::new(options.open(path)?) })
    }
}

impl Exporter for JsonlExporter {
    fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        let mut text = Vec::new();
        for span in batch.spans() {
            write_line(&span, &mut text).map_err(ExportError::failed)?;
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.lock().map_err(ExportError::failed)?;
        let appended = append(&mut file, &text);
        let unlocked = file.unlock();
        appended.and(unlocked).map_err(ExportError::failed)
    }
}

fn write_line(span: &Span, text: &mut Vec<u8>) -> serde_json::Result<()> {
    let start = text.len();
    serde_json::to_writer(&mut *text, span)?;
    // In JSON a line can only end between two values: what was captured as raw JSON may have such.
    text[start..].iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    text.push(b'\n');
    Ok(())
}

/// Appends all of the text or nothing, to a file that is locked.
fn append(file: &mut File, text: &[u8]) -> io::Result<()> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut last = *b"\n";
    if end > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let close: &[u8] = if last == *b"\n" { b"" } else { b"\n" };
    let written = file.write_all(close).and_then(|()| file.write_all(text));
    if written.is_err() {
        let _or_it_is_torn = file.set_len(end);
    }
    written
}

impl fmt::Debug for JsonlExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonlExporter").finish_non_exhaustive()
    }
}

/// Reads spans that a [`JsonlExporter`] wrote: the spans in the order of the lines.
///
/// A line that is no span is skipped, and [`skipped`](Self::skipped) counts it: a process that was
/// killed while it wrote leaves one that is not whole, and so looks the last line of a file that is
/// being written. After an error of the file there is nothing more.
pub struct JsonlReader<R> {
    file: R,
    line: Vec<u8>,
    skipped: u64,
    has_failed: bool,
}

impl JsonlReader<BufReader<File>> {
    /// Reads this file.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::new(BufReader::new(File::open(path)?)))
    }
}

impl<R: BufRead> JsonlReader<R> {
    /// Reads these lines.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut reader = timbal_core::JsonlReader::new(&br#"{"run_id":"0197f4a8"#[..]);
    /// assert!(reader.next().is_none());
    /// assert_eq!(reader.skipped(), 1);
    /// ```
    pub fn new(file: R) -> Self {
        Self { file, line: Vec::new(), skipped: 0, has_failed: false }
    }

    /// How many lines until here were no spans.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The next line that is not empty.
    fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            self.line.clear();
            if self.file.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(&self.line));
            }
        }
    }
}

impl<R: BufRead> Iterator for JsonlReader<R> {
    type Item = io::Result<Span>;

    fn next(&mut self) -> Option<io::Result<Span>> {
        while !self.has_failed {
            match self.next_line() {
                Ok(None) => return None,
                Ok(Some(line)) => match serde_json::from_slice(line) {
                    Ok(span) => return Some(Ok(span)),
                    Err(_) => self.skipped += 1,
                },
                Err(error) => {
                    self.has_failed = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl<R> fmt::Debug for JsonlReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonlReader").field("skipped", &self.skipped).finish_non_exhaustive()
    }
}
