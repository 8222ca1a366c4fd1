//! The text of an expression, as its user wrote it, in one line.

use proc_macro2::{Delimiter, LineColumn, Spacing, Span, TokenStream, TokenTree};

/// The most characters of it that are kept.
const MAX_CHARS: usize = 80;

/// The code in one line, cut where it is too long.
pub(crate) fn text(tokens: TokenStream) -> String {
    let mut text = Text::default();
    text.tokens(tokens);
    cut(&text.line)
}

/// A line, cut where it is too long.
pub(crate) fn cut(line: &str) -> String {
    match line.char_indices().nth(MAX_CHARS) {
        Some(_) => line.chars().take(MAX_CHARS - 1).chain(['…']).collect(),
        None => line.to_owned(),
    }
}

#[derive(Default)]
struct Text {
    line: String,
    last: Option<Last>,
}

/// What was written last.
struct Last {
    end: LineColumn,
    glue: Glue,
}

/// Whether there is a space beside a token whose place is not known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Glue {
    /// A name or a literal.
    Word,
    /// It ends something: `,` `;` `)`.
    Closes,
    /// What follows belongs to it: `(` `.` `::` `&` `!`.
    Opens,
    /// `+` `=` `=>`.
    Operator,
}

impl Text {
    fn tokens(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(it) if it.delimiter() == Delimiter::None => {
                    self.tokens(it.stream())
                }
                TokenTree::Group(it) => {
                    let (open, close) = match it.delimiter() {
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::Parenthesis | Delimiter::None => ("(", ")"),
                    };
                    // Of a group that was parsed, only the place of the whole is known.
                    let (start, end) = (it.span().start(), it.span().end());
                    let inner = LineColumn { column: start.column + 1, ..start };
                    let last = LineColumn { column: end.column.saturating_sub(1), ..end };
                    self.push(open, (start, inner), Glue::Opens);
                    self.tokens(it.stream());
                    self.push(close, (last, end), Glue::Closes);
                }
                TokenTree::Punct(it) => {
                    let mut operator = String::from(it.as_char());
                    let (start, mut last) = (it.span().start(), it);
                    while last.spacing() == Spacing::Joint
                        && let Some(TokenTree::Punct(next)) =
                            tokens.next_if(|next| matches!(next, TokenTree::Punct(_)))
                    {
                        operator.push(next.as_char());
                        last = next;
                    }
                    self.push(&operator, (start, last.span().end()), glue(&operator));
                }
                TokenTree::Ident(it) => self.word(&it, it.span()),
                TokenTree::Literal(it) => self.word(&it, it.span()),
            }
        }
    }

    fn word(&mut self, token: &impl ToString, span: Span) {
        self.push(&token.to_string(), (span.start(), span.end()), Glue::Word);
    }

    fn push(&mut self, token: &str, (start, end): (LineColumn, LineColumn), glue: Glue) {
        let (gap, breaks) = self.gap(start, token, glue);
        // What was a list with an item a line is a list in one line.
        if breaks && glue == Glue::Closes && self.line.ends_with(',') && token != "}" {
            self.line.pop();
        }
        if gap {
            self.line.push(' ');
        }
        // A literal may be of many lines.
        let mut words = token.split('\n').map(str::trim);
        self.line.push_str(words.next().unwrap_or_default());
        words.filter(|word| !word.is_empty()).for_each(|word| {
            self.line.push(' ');
            self.line.push_str(word);
        });
        self.last = Some(Last { end, glue });
    }

    /// Whether there is a space before what begins here, and whether it begins another line.
    fn gap(&self, start: LineColumn, token: &str, glue: Glue) -> (bool, bool) {
        let Some(last) = &self.last else { return (false, false) };
        let is_beside = start.line == last.end.line && start.column >= last.end.column;
        let is_after = start.line > last.end.line;
        if is_beside && start.line > 0 && (start.column, start.line) != (0, 0) {
            return (start.column > last.end.column, false);
        }
        // A chain of methods, and what stands between brackets, is joined; all else is apart.
        let is_joined = token.starts_with(['.', '?'])
            || (token != "}" && glue == Glue::Closes)
            || (last.glue == Glue::Opens && !self.line.ends_with('{'));
        if is_after {
            return (!is_joined, true);
        }
        let natural = match (last.glue, glue) {
            (Glue::Operator, _) | (_, Glue::Operator) => true,
            (Glue::Word | Glue::Closes, Glue::Word) => true,
            (Glue::Closes, Glue::Opens) => token == "{" || token == "&",
            (Glue::Word, Glue::Opens) => token == "{",
            _ => !is_joined && token == "}",
        };
        (natural, false)
    }
}

fn glue(operator: &str) -> Glue {
    match operator {
        "," | ";" | "?" => Glue::Closes,
        "." | "::" | "&" | "!" | "#" | "'" | "*" | "-" | "|" | ".." | "..=" | "$" => Glue::Opens,
        _ => Glue::Operator,
    }
}
