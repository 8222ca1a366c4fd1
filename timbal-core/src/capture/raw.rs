//! JSON that is text already: a `RawValue`, an exact number, a payload.

use serde::de::IgnoredAny;
use serde::ser::Error;

use super::failure::Failure;
use super::writer::Writer;
use crate::payload::Marks;

/// The name of the struct as which `serde_json` serialises a `RawValue`, and of its field.
pub(crate) const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// The same for a number that is kept as text.
pub(super) const RAW_NUMBER: &str = "$serde_json::private::Number";

/// How much is looked at of a text that does not fit: enough to mask the head of it.
const WINDOW_BYTES: usize = 64 * 1024;

/// The marks that are in JSON text.
pub(crate) fn marks(json: &str) -> Marks {
    let mut tokens = Tokens::new(json);
    let mut marks = Marks::NONE;
    while let Some(token) = tokens.next() {
        marks.add(tokens.mark(&token));
    }
    marks
}

/// How many arrays and objects are inside of each other in JSON text.
pub(crate) fn depth(json: &str) -> usize {
    let mut tokens = Tokens::new(json);
    let (mut depth, mut deepest) = (0_usize, 0);
    while let Some(token) = tokens.next() {
        match token {
            Token::Open { .. } => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            Token::Key { .. } | Token::Text(_) => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

impl Writer<'_> {
    /// Appends JSON text as it is, but for what the rules say. A text that does not fit as it is
    /// does not fit: what is masked in it counts too.
    pub(super) fn raw(&mut self, json: &str) -> Result<(), Failure> {
        if self.text.is_full() {
            self.text.leave_out(json.len());
            return Ok(());
        }
        if json.len() > self.text.room().max(WINDOW_BYTES) {
            let end = self.text.len() + json.len();
            self.copy(&json[..json.floor_char_boundary(WINDOW_BYTES)]);
            self.text.leave_out(end.saturating_sub(self.text.len()));
            return Ok(());
        }
        // Nobody looked at it if it was made by `RawValue::from_string_unchecked`.
        serde_json::from_str::<IgnoredAny>(json).map_err(Failure::custom)?;
        self.copy(json);
        Ok(())
    }

    fn copy(&mut self, json: &str) {
        let mut tokens = Tokens::new(json);
        let mut depth = self.text.levels.depth();
        let mut copied = 0;
        while let Some(token) = tokens.next() {
            self.text.marks.add(tokens.mark(&token));
            match token {
                Token::Key { key, .. } if self.is_masked_json(key) => {
                    self.text.push(&json[copied..tokens.at]);
                    self.mask();
                    tokens.skip_value();
                    copied = tokens.at;
                }
                Token::Open { at, bracket } if depth >= self.rules.depth() => {
                    self.text.push(&json[copied..at]);
                    self.cut(None, bracket);
                    tokens.at = at;
                    tokens.skip_value();
                    copied = tokens.at;
                }
                Token::Open { .. } => depth += 1,
                Token::Close => depth = depth.saturating_sub(1),
                Token::Key { .. } | Token::Text(_) => {}
            }
        }
        self.text.push(&json[copied..]);
    }

    /// Whether this key, with escapes as in JSON, is one whose value is not captured.
    pub(super) fn is_masked_json(&self, key: &str) -> bool {
        if key.contains('\\') {
            let unescaped = serde_json::from_str::<String>(&format!("\"{key}\""));
            unescaped.is_ok_and(|key| self.is_masked(&key))
        } else {
            self.is_masked(key)
        }
    }
}

/// The keys, strings and brackets of JSON text, found without recursion. Of a text that is broken
/// off in the middle it gives what is there.
struct Tokens<'t> {
    json: &'t str,
    at: usize,
    opened: bool,
}

enum Token<'t> {
    /// A key, without its quotes. The value comes next.
    Key { key: &'t str, is_first: bool },
    /// A string that is no key, without its quotes.
    Text(&'t str),
    /// The beginning of an array or object, and where it is.
    Open { at: usize, bracket: &'static str },
    /// The end of an array or object.
    Close,
}

impl<'t> Tokens<'t> {
    fn new(json: &'t str) -> Self {
        Self { json, at: 0, opened: false }
    }

    fn next(&mut self) -> Option<Token<'t>> {
        let bytes = self.json.as_bytes();
        let at = self.at + bytes[self.at..].iter().position(|byte| b"\"[{]}".contains(byte))?;
        self.at = at + 1;
        let is_first = std::mem::take(&mut self.opened);
        match bytes[at] {
            b'"' => Some(self.string(is_first)),
            b']' | b'}' => Some(Token::Close),
            bracket => {
                self.opened = true;
                Some(Token::Open { at, bracket: if bracket == b'[' { "[" } else { "{" } })
            }
        }
    }

    /// The string whose first quote was passed. It is a key if a colon follows.
    fn string(&mut self, is_first: bool) -> Token<'t> {
        let start = self.at;
        let content = self.skip_string(start);
        let colon = self.skip_space(self.at);
        if self.json.as_bytes().get(colon) != Some(&b':') {
            return Token::Text(content);
        }
        self.at = self.skip_space(colon + 1);
        Token::Key { key: content, is_first }
    }

    fn skip_string(&mut self, start: usize) -> &'t str {
        let bytes = self.json.as_bytes();
        let mut end = start;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
                None => {
                    self.at = bytes.len();
                    return &self.json[start.min(bytes.len())..];
                }
            }
        }
        self.at = end + 1;
        &self.json[start..end]
    }

    fn skip_space(&self, from: usize) -> usize {
        let rest = &self.json.as_bytes()[from..];
        from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    /// Goes to the end of the value that comes next.
    fn skip_value(&mut self) {
        let rest = &self.json.as_bytes()[self.at..];
        match rest.first() {
            Some(b'"') => {
                self.skip_string(self.at + 1);
            }
            Some(b'[' | b'{') => self.skip_brackets(),
            _ => {
                let end = rest.iter().position(|byte| b",]} \n\r\t".contains(byte));
                self.at += end.unwrap_or(rest.len());
            }
        }
    }

    fn skip_brackets(&mut self) {
        let mut open = 0_usize;
        while let Some(token) = self.next() {
            match token {
                Token::Open { .. } => open += 1,
                Token::Close if open <= 1 => return,
                Token::Close => open -= 1,
                Token::Key { .. } | Token::Text(_) => {}
            }
        }
        self.at = self.json.len();
    }

    /// What a token, the last one, says about the value that it is in.
    fn mark(&self, token: &Token<'_>) -> Marks {
        let value = self.json.as_bytes().get(self.at);
        match token {
            Token::Text("***") => Marks::MASKED,
            Token::Key { key: "$cut", is_first: true } if value == Some(&b'{') => Marks::CUT,
            Token::Key { key: "$error", is_first: true } if value == Some(&b'"') => Marks::FAILED,
            _ => Marks::NONE,
        }
    }
}
