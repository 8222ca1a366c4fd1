//! The notes in a body, and what they are compared with.

use proc_macro2::{Delimiter, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::Path;

use super::{group, respanned};
use crate::model::Runnable;

// Output:
//     static __TIMBAL_RUNNABLE: &::timbal::__private::Defined = { definition };
//
// and its name. A note in the body is kept only if the current call is a call of this runnable.
pub(super) fn state(
    runnable: &Runnable<'_>,
    definition: TokenStream,
) -> (TokenStream, TokenStream) {
    let timbal = &runnable.timbal;
    let name = name();
    let stated = quote!(static #name: &#timbal::__private::Defined = #definition;);
    (stated, quote!(#name))
}

// Output:
//     ::timbal::__private::noted(operand, __TIMBAL_RUNNABLE, "operand?")
//     ::timbal::__private::noted_in(operand, __TIMBAL_RUNNABLE, "operand?", (1, 0))
//
// Every token stands at the `?`: a call is where its first token is.
pub(crate) fn noted(
    timbal: &Path,
    operand: TokenStream,
    span: Span,
    text: &str,
    block: Option<(u32, u64)>,
) -> TokenStream {
    let function = Ident::new(if block.is_some() { "noted_in" } else { "noted" }, span);
    call(timbal, function, (operand, span), text, block)
}

// It takes the place of the `Err(..)`: what is said of that is underlined there.
//
// Output:
//     ::timbal::__private::returned(Err(Error::Empty), __TIMBAL_RUNNABLE, "Err(Error::Empty)", (0, 0))
pub(crate) fn returned(
    timbal: &Path,
    error: TokenStream,
    (first, parentheses): (Span, Span),
    text: &str,
    block: (u32, u64),
) -> TokenStream {
    let function = Ident::new("returned", first);
    call(timbal, function, (error, parentheses), text, Some(block))
}

/// Braces that nobody calls too many, as they are not the user's own.
pub(crate) fn quiet(block: TokenStream) -> TokenStream {
    let respan = |token| match token {
        TokenTree::Group(it) => {
            let span = Span::mixed_site().located_at(it.span());
            group(it.delimiter(), it.stream(), span).into()
        }
        token => token,
    };
    block.into_iter().map(respan).collect()
}

fn call(
    timbal: &Path,
    function: Ident,
    (value, parentheses): (TokenStream, Span),
    text: &str,
    block: Option<(u32, u64)>,
) -> TokenStream {
    let span = function.span();
    let name = name();
    let mut text = Literal::string(text);
    text.set_span(Span::mixed_site());
    let block = block.map(|(block, flags)| {
        let (block, flags) = (Literal::u32_unsuffixed(block), Literal::u64_unsuffixed(flags));
        quote!(, (#block, #flags))
    });
    let private = respanned(quote!(#timbal::__private), span);
    let arguments = group(Delimiter::Parenthesis, quote!(#value, #name, #text #block), parentheses);
    quote_spanned!(span=> #private::#function #arguments)
}

fn name() -> Ident {
    Ident::new("__TIMBAL_RUNNABLE", Span::mixed_site())
}
