//! `Origins`: which closures and `async` blocks of a body the values of its variables can come from.

use std::collections::HashMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Pat, PatIdent, Path};

/// The blocks, a bit each, that what a name stands for can come from. Names are not told apart by
/// where they are bound: a failure that might have come from several blocks is said to come from none.
#[derive(Default)]
pub(crate) struct Origins(HashMap<String, u64>);

impl Origins {
    /// What these names stand for can come from these blocks too.
    pub(crate) fn add(&mut self, names: impl IntoIterator<Item = String>, from: u64) {
        if from != 0 {
            for name in names {
                *self.0.entry(name).or_default() |= from;
            }
        }
    }

    /// What the name stands for, if it is one.
    pub(crate) fn of(&self, path: &Path) -> u64 {
        if self.0.is_empty() {
            return 0;
        }
        path.get_ident().and_then(|name| self.0.get(&name.to_string())).copied().unwrap_or(0)
    }

    /// What any of these names stands for.
    pub(crate) fn of_all(&self, names: impl IntoIterator<Item = String>) -> u64 {
        if self.0.is_empty() {
            return 0;
        }
        names.into_iter().filter_map(|name| self.0.get(&name)).fold(0, |all, from| all | from)
    }
}

/// The names that a pattern binds.
pub(crate) fn bound(pattern: &Pat) -> Vec<String> {
    struct Names(Vec<String>);
    impl<'a> Visit<'a> for Names {
        fn visit_pat_ident(&mut self, pattern: &'a PatIdent) {
            self.0.push(pattern.ident.to_string());
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut names = Names(Vec::new());
    names.visit_pat(pattern);
    names.0
}

/// The names that stand somewhere in the code.
pub(crate) fn mentions(tokens: TokenStream) -> Vec<String> {
    let names = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => mentions(group.stream()),
        TokenTree::Ident(ident) => vec![ident.to_string()],
        TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
    });
    names.collect()
}

/// Whether this is the name that a `let` binds.
pub(crate) fn is_let_of(pattern: &Pat, name: &Path) -> bool {
    let pattern = match pattern {
        Pat::Type(typed) => &*typed.pat,
        pattern => pattern,
    };
    match pattern {
        Pat::Ident(it) => it.subpat.is_none() && name.is_ident(&it.ident),
        _ => false,
    }
}
