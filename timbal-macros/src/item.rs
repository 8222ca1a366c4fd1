//! `Item`: the function under the attribute. Its signature is parsed, its body is not.

use proc_macro2::{Delimiter, Group, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{AttrStyle, Attribute, LitStr, Result, Signature, Token, Visibility, braced, token};

/// A function. Its body stays tokens, so that one that is half typed is still a body.
pub(crate) struct Item {
    /// Those above it, and those at the head of its body, which say the same.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// The braces, and what stands in them.
    pub(crate) body: Group,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if !is_at_function(input) {
            return Err(input.error("expected a function or an `impl` block"));
        }
        let signature = input.parse()?;
        if !input.peek(token::Brace) {
            return Err(
                input.error("expected a body: `#[runnable]` stands on functions that have one")
            );
        }
        let statements;
        let braces = braced!(statements in input);
        for attribute in statements.call(Attribute::parse_inner)? {
            attributes.push(Attribute { style: AttrStyle::Outer, ..attribute });
        }
        let mut body = Group::new(Delimiter::Brace, statements.parse()?);
        body.set_span(braces.span.join());
        Ok(Self { attributes, visibility, signature, body })
    }
}

/// Whether a signature begins here: `const async unsafe extern "C" fn`.
fn is_at_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while ahead.peek(Token![const])
        || ahead.peek(Token![async])
        || ahead.peek(Token![unsafe])
        || ahead.peek(Token![extern])
        || ahead.peek(LitStr)
    {
        let _: Result<TokenTree> = ahead.parse();
    }
    ahead.peek(Token![fn])
}
