//! `f(…).await` in the body of `f`, read from its tokens.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;

/// Whether this word stands in there.
pub(crate) fn mentions(tokens: impl ToTokens, word: &Ident) -> bool {
    tokens.to_token_stream().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *word,
        TokenTree::Group(group) => mentions(group.stream(), word),
        _ => false,
    })
}

/// Where the body awaits a call of this function, if its name means nothing else in there.
pub(crate) fn find(body: TokenStream, name: &Ident) -> Option<Ident> {
    let mut calls = Calls { name, first: None, is_bound: false };
    calls.visit(body, true);
    calls.first.filter(|_| !calls.is_bound)
}

struct Calls<'a> {
    name: &'a Ident,
    first: Option<Ident>,
    /// Whether the name is used as more than the name of a function that is called.
    is_bound: bool,
}

impl Calls<'_> {
    /// What is `held` is a part of the function's own future: neither that of an `async` block, which
    /// may be boxed, nor what a macro makes of its arguments.
    fn visit(&mut self, tokens: TokenStream, mut held: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| &tokens[before]);
            match token {
                TokenTree::Ident(ident) if ident == self.name => {
                    let follows_a_path = before.is_some_and(is_punct);
                    let call = tokens[at + 1..].first().is_some_and(is_arguments);
                    if !call || before.is_some_and(|it| is_word(it, "fn")) {
                        self.is_bound |= !follows_a_path;
                    } else if held && !follows_a_path && is_awaited(&tokens[at + 2..]) {
                        self.first.get_or_insert_with(|| ident.clone());
                    }
                }
                TokenTree::Ident(word) if word == "async" => held = false,
                TokenTree::Group(group) => {
                    let is_macro =
                        matches!(before, Some(TokenTree::Punct(it)) if it.as_char() == '!');
                    self.visit(group.stream(), held && !is_macro);
                }
                _ => {}
            }
        }
    }
}

/// Whether this can be the end of `self.` or `module::`.
fn is_punct(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if matches!(punct.as_char(), '.' | ':'))
}

fn is_arguments(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
}

fn is_awaited(rest: &[TokenTree]) -> bool {
    matches!(rest, [dot, word, ..] if is_punct(dot) && is_word(word, "await"))
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}
