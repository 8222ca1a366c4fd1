//! `Block`: an `impl` block under the attribute, whose functions are asked for at once.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, ImplItem, ItemImpl, Result, Signature};

use crate::args::Args;
use crate::errors::Errors;
use crate::expand;
use crate::shape::{Form, Returned, Shape};

/// An `impl` block. Of its functions those are asked for whose calls have a life of their own: that
/// are `async`, or return a future, a stream or an iterator. Others ask for themselves.
pub(crate) struct Block(ItemImpl);

impl Block {
    /// Whether `impl` stands where an item begins.
    pub(crate) fn is_here(tokens: &TokenStream) -> bool {
        let mut tokens = tokens.clone().into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(pound) if pound.as_char() == '#' => drop(tokens.next()),
                TokenTree::Ident(word) if word == "unsafe" || word == "default" => {}
                TokenTree::Ident(word) => return word == "impl",
                _ => return false,
            }
        }
        false
    }

    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        syn::parse2(tokens).map(Self)
    }

    /// The block, with an attribute on each function that is asked for.
    pub(crate) fn expand(mut self, args: &Args) -> TokenStream {
        for item in &mut self.0.items {
            let ImplItem::Fn(function) = item else { continue };
            let returned = Returned::new(&function.sig);
            if returned.shape != Shape::Value && !asks_itself(&function.attrs) {
                function.attrs.push(attribute(args, &function.sig, &returned));
            }
        }
        self.0.into_token_stream()
    }
}

/// What is wrong with the options of a block.
pub(crate) fn check(args: &Args, errors: &mut Errors) {
    const MESSAGE: &str = "expected it on a function: an `impl` block has many";
    if let Some(name) = &args.name {
        errors.push(name, MESSAGE);
    }
    if let Some(fold) = &args.fold {
        errors.push(&fold.key, MESSAGE);
    }
    if let Some(blocking) = &args.blocking {
        errors.push(blocking, MESSAGE);
    }
    if let Some(yields) = &args.yields {
        errors.push(&yields.key, MESSAGE);
    }
    if let Some(usage) = &args.usage {
        errors.push(usage, MESSAGE);
    }
}

/// What the block says, as far as it can be said of this function.
fn attribute(args: &Args, signature: &Signature, returned: &Returned<'_>) -> Attribute {
    let has_self = signature.receiver().is_some();
    let has_handle = returned.form != Form::Named;
    let has_value = (returned.shape, returned.form) == (Shape::Future, Form::Async);
    expand::attribute(&Args {
        name: None,
        blocking: None,
        yields: None,
        fold: None,
        usage: None,
        capture_self: args.capture_self.clone().filter(|_| has_self),
        opaque: args.opaque.clone().filter(|_| has_handle),
        boxed: args.boxed.clone().filter(|_| has_value),
        skip_input: args.skip_input,
        skip_output: args.skip_output,
        metadata: args.metadata.clone(),
        timbal: args.timbal.clone(),
    })
}

fn asks_itself(attributes: &[Attribute]) -> bool {
    let is_ours = |path: &syn::Path| path.segments.last().is_some_and(|it| it.ident == "runnable");
    attributes.iter().any(|attribute| is_ours(attribute.path()))
}
