//! An item without our marks on its parameters, which nobody else understands.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::group;
use crate::model::MARKS;

// Input:
//     async fn greet(#[skip] name: String) { … }
// Output:
//     async fn greet(name: String) { … }
//
// It need not be a function, nor one that can be parsed.
pub(super) fn without_marks(item: TokenStream) -> TokenStream {
    let mut is_function = false;
    let strip = |token| match token {
        TokenTree::Group(it) if is_function && it.delimiter() == Delimiter::Parenthesis => {
            group(it.delimiter(), unmarked(it.stream()), it.span()).into()
        }
        token => {
            is_function |= matches!(&token, TokenTree::Ident(ident) if ident == "fn");
            token
        }
    };
    item.into_iter().map(strip).collect()
}

fn unmarked(parameters: TokenStream) -> TokenStream {
    let mut tokens = parameters.into_iter().peekable();
    let mut kept = TokenStream::new();
    while let Some(token) = tokens.next() {
        if tokens.next_if(|next| is_mark(&token, next)).is_none() {
            kept.extend([token]);
        }
    }
    kept
}

/// Whether these two are `#` and `[skip]` or `[redact]`.
fn is_mark(pound: &TokenTree, attribute: &TokenTree) -> bool {
    let (TokenTree::Punct(pound), TokenTree::Group(attribute)) = (pound, attribute) else {
        return false;
    };
    let name = attribute.stream().into_iter().next();
    let is_ours =
        MARKS.iter().any(|mark| matches!(&name, Some(TokenTree::Ident(name)) if name == mark));
    pound.as_char() == '#' && is_ours
}
