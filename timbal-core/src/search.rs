//! `TextSearch`: looks for a text in what calls took, returned and failed with.

use crate::{CallError, Span};

/// Looks for a text in what calls took, returned and failed with: the same in every store.
///
/// The case of ASCII letters does not matter. In JSON the text is found as it stands there
/// (`"name":"Ali`) and as a string would hold it (`say "hi"` in `"say \"hi\""`).
///
/// # Examples
///
/// ```
/// use timbal_core::TextSearch;
///
/// let search = TextSearch::new(r#"say "hi""#);
/// assert!(search.in_json(r#"{"what":"SAY \"hi\""}"#));
/// assert!(!search.in_json(r#"{"what":"say hi"}"#));
/// ```
#[derive(Debug, Clone)]
pub struct TextSearch {
    text: String,
    /// The text as JSON strings hold it, if that is something else.
    escaped: Option<String>,
}

impl TextSearch {
    /// Looks for this text. An empty one is everywhere.
    pub fn new(text: &str) -> Self {
        let json = serde_json::Value::from(text).to_string();
        let escaped = json[1..json.len() - 1].to_owned();
        Self { text: text.to_owned(), escaped: Some(escaped).filter(|escaped| escaped != text) }
    }

    /// Whether it is in an input, output or error of this call.
    pub fn in_span(&self, span: &Span) -> bool {
        self.in_json(span.input.as_json())
            || self.in_json(span.output.as_json())
            || span.error.as_ref().is_some_and(|error| self.in_error(error))
    }

    /// Whether it is in a JSON text.
    pub fn in_json(&self, json: &str) -> bool {
        contains(json, &self.text)
            || self.escaped.as_ref().is_some_and(|escaped| contains(json, escaped))
    }

    /// Whether it is in the type, the message, the traceback or a cause of an error.
    pub fn in_error(&self, error: &CallError) -> bool {
        let has = |text: &str| contains(text, &self.text);
        has(error.type_name())
            || has(error.message())
            || has(error.traceback())
            || error.causes().iter().any(|cause| has(&cause.type_name) || has(&cause.message))
    }
}

fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}
