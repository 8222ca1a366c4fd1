//! `Joined`: values that are captured one behind another, into one text.

use serde::Serialize;

use super::captured::Captured;
use super::text::{HEAD_BYTES, Text};
use super::writer::Writer;
use super::{Rules, cut};
use crate::payload::{Marks, Payload};

/// Values that are captured one behind another, each where it stays. Each is within the limit of a
/// payload, and so are all of them.
pub(crate) struct Joined {
    join: Join,
    /// The most bytes of each of them, and of all.
    limit: usize,
    /// The JSON text of all of them but for its last character. It is away while a value is added.
    text: Option<Box<Text>>,
    marks: Marks,
    /// How long the text would be, if it is too long: then it is but its head.
    cut: Option<usize>,
}

/// How values are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    /// A string of all of them.
    Concat,
    /// An array of all of them.
    List,
}

impl Joined {
    #[cold]
    pub(crate) fn new(join: Join, rules: &Rules) -> Self {
        let limit = rules.limit();
        Self { join, limit, text: Some(Text::take(limit)), marks: Marks::NONE, cut: None }
    }

    /// Captures one more value, and copies it to where its own payload is kept, if it has one.
    #[inline]
    pub(crate) fn add<T: Serialize + ?Sized>(
        &mut self,
        rules: &Rules,
        value: &T,
        own: Option<&mut Payload>,
    ) {
        let mut text = self.text.take().expect("it is put back");
        let before = text.len();
        if before == 0 {
            text.add(if self.join == Join::List { "[" } else { "\"" });
        } else if self.join == Join::List {
            text.add(",");
        }
        let start = text.len();
        text.marks = Marks::NONE;
        text.limit_to(start.saturating_add(self.limit));
        Writer { text: &mut text, rules }.whole(value);
        let marks = text.marks;
        if let Some(own) = own {
            *own = Payload::from_captured(&text.built()[start..], marks);
        }
        if self.join == Join::Concat && !text.unquote(start) {
            quote(&mut text, start);
        }
        self.marks.add(marks);
        if text.len() >= self.limit || self.cut.is_some() {
            text = self.leave_out(text, before);
        }
        self.text = Some(text);
    }

    /// The last value is the first that does not fit, or stands behind that one.
    #[cold]
    fn leave_out(&mut self, mut text: Box<Text>, before: usize) -> Box<Text> {
        if let Some(bytes) = &mut self.cut {
            *bytes += text.len() - before;
            text.rewind(before);
            return text;
        }
        self.cut = Some(text.len());
        let built = text.built();
        let head = built[..built.floor_char_boundary(HEAD_BYTES)].to_owned();
        text.give_back();
        let mut text = Text::take(self.limit);
        text.add(&head);
        text
    }

    /// All of them.
    pub(crate) fn finish(self, rules: &Rules) -> Captured {
        let mut text = self.text.expect("it is put back");
        if let Some(bytes) = self.cut {
            return cut(rules, bytes + 1, text.built());
        }
        text.add(if self.join == Join::List { "]" } else { "\"" });
        text.marks = self.marks;
        Captured::new(text)
    }
}

/// Makes the value that begins there, and is no string, a part of the string around it.
#[cold]
fn quote(text: &mut Text, start: usize) {
    let quoted = Payload::new(&text.built()[start..]);
    text.rewind(start);
    let content = quoted.as_json().strip_prefix('"').and_then(|json| json.strip_suffix('"'));
    text.add(content.unwrap_or_default());
}
