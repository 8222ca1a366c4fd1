//! `yield_!` in closures, which cannot wait unless they are `async`.

use proc_macro2::{Ident, TokenStream};
use syn::parse::Parser;
use syn::visit::{self, Visit};
use syn::{Block, ExprAsync, ExprClosure, Item, Macro};

use crate::yields::YIELD;

/// Each `yield_!` of a body that stands in a closure that is not `async`. None of a body that does not
/// parse: then rustc says what is wrong with it.
pub(crate) fn yields(body: TokenStream) -> Vec<Ident> {
    let mut closures = Closures { waits: true, found: Vec::new() };
    for statement in Block::parse_within.parse2(body).unwrap_or_default() {
        closures.visit_stmt(&statement);
    }
    closures.found
}

struct Closures {
    /// Whether what is looked at can wait.
    waits: bool,
    found: Vec<Ident>,
}

impl Closures {
    fn inside(&mut self, waits: bool, look: impl FnOnce(&mut Self)) {
        let around = std::mem::replace(&mut self.waits, waits);
        look(self);
        self.waits = around;
    }
}

impl Visit<'_> for Closures {
    fn visit_expr_closure(&mut self, it: &ExprClosure) {
        self.inside(it.asyncness.is_some(), |this| this.visit_expr(&it.body));
    }

    fn visit_expr_async(&mut self, it: &ExprAsync) {
        self.inside(true, |this| visit::visit_expr_async(this, it));
    }

    // What another macro makes of its arguments is not known.
    fn visit_macro(&mut self, it: &Macro) {
        let name = it.path.segments.last().map(|last| &last.ident);
        self.found.extend(name.filter(|name| !self.waits && *name == YIELD).cloned());
    }

    // A function in the body yields for itself, or not at all.
    fn visit_item(&mut self, _: &Item) {}
}
