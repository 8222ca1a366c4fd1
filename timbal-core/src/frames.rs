//! `Frames`: the frames of an error, of which only the middle may be missing.

use std::fmt::{self, Write as _};

use crate::Frame;

/// The most frames that are kept of one error: half of them from its beginning, half from its end.
const MAX_FRAMES: usize = 64;

/// Where an error came from: the frames of the call that failed, from the outermost in, then those of
/// the call in it from which the error came, and so on.
#[derive(Clone, Default)]
pub(crate) struct Frames {
    kept: Vec<Frame>,
    /// How many are missing in the middle of those that are kept.
    missing: usize,
}

impl Frames {
    /// These, and then those of the call that they lead into.
    pub(crate) fn new(mut own: Vec<Frame>, below: Option<&Self>) -> Self {
        let below = below.cloned().unwrap_or_default();
        if below.missing > 0 {
            let (head, tail) = below.kept.split_at(MAX_FRAMES / 2);
            own.extend_from_slice(head);
            let cut = own.split_off(MAX_FRAMES / 2).len();
            own.extend_from_slice(tail);
            return Self { kept: own, missing: below.missing + cut };
        }
        own.extend(below.kept);
        let missing = own.len().saturating_sub(MAX_FRAMES);
        if missing > 0 {
            own.drain(MAX_FRAMES / 2..MAX_FRAMES / 2 + missing);
        }
        Self { kept: own, missing }
    }

    pub(crate) fn kept(&self) -> &[Frame] {
        &self.kept
    }

    pub(crate) fn missing(&self) -> usize {
        self.missing
    }

    pub(crate) fn weight(&self) -> usize {
        self.kept.iter().map(Frame::weight).sum()
    }
}

/// A line or two a frame.
impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, frame) in self.kept.iter().enumerate() {
            if self.missing > 0 && at == MAX_FRAMES / 2 {
                writeln!(f, "  … {} frames …", self.missing)?;
            }
            write!(f, "{frame}")?;
            f.write_char('\n')?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition;
    use crate::path::Path;

    fn frame(line: usize) -> Frame {
        let path = Path { definition: definition!("f"), name: None, above: None };
        Frame::new(path, ("f.rs".into(), line as u32, 1), None)
    }

    /// The lines of frames that were put together from the inside out, `step` at a time.
    fn lines(count: usize, step: usize) -> (Vec<u32>, usize) {
        let lines: Vec<usize> = (1..=count).collect();
        let chunks =
            lines.rchunks(step).map(|chunk| chunk.iter().map(|&line| frame(line)).collect());
        let frames = chunks.fold(Frames::default(), |below, own| Frames::new(own, Some(&below)));
        (frames.kept.iter().map(Frame::line).collect(), frames.missing)
    }

    #[test]
    fn the_middle_is_missing_however_they_came_together() {
        for step in [1, 2, 7, 33, 64, 200] {
            assert_eq!(lines(64, step), ((1..=64).collect(), 0), "{step}");
            let ends: Vec<u32> = (1..=32).chain(169..=200).collect();
            assert_eq!(lines(200, step), (ends, 136), "{step}");
        }
    }

    #[test]
    fn what_is_missing_is_counted() {
        let frames = Frames::new((1..=70).map(frame).collect(), None);
        let text = frames.to_string();
        assert!(text.contains("f.rs:32:1, in f\n  … 6 frames …\n  f.rs:39:1, in f\n"), "{text}");
    }
}
