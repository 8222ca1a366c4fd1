//! A generator: its items are what it yields, and its output is what it returns.

use proc_macro2::{Delimiter, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{GenericArgument, PathArguments, ReturnType, Type, parse_quote};

use super::body::{body, inferred};
use super::{group, item_probe, respanned, split, usage_of};
use crate::model::{Generator, Output, Runnable};
use crate::shape::Shape;

// Output:
//     -> ::timbal::StreamCall<impl ::timbal::StreamGenerator<Item = u8, Returned = String>>
pub(super) fn returns(runnable: &Runnable<'_>, generator: &Generator) -> TokenStream {
    let Runnable { timbal, args, output, .. } = runnable;
    let item = item(runnable, generator);
    let returned = &output.ty;
    let is_async = runnable.shape == Shape::Stream;
    if args.opaque.is_some() {
        let stream = quote!(#timbal::__private::Stream);
        let hidden = if is_async { stream } else { quote!(::core::iter::Iterator) };
        return quote!(-> impl #hidden<Item = #item>);
    }
    let (handle, hidden) = if is_async {
        (quote!(StreamCall), quote!(StreamGenerator))
    } else {
        (quote!(IterCall), quote!(IterGenerator))
    };
    let opening = quote!(#timbal::#handle<impl #timbal::#hidden<Item =);
    let opening = respanned(opening, output.first);
    let closing = quote_spanned!(output.last=> >>);
    quote!(-> #opening #item, Returned = #returned #closing)
}

// Output:
//     ::timbal::__private::generator::<::timbal::__private::Yields, u8, _, _>(
//         { definition }, move |timbal_yielder| async move { body },
//         { probe of an item }, { probe },
//     )
pub(super) fn call(
    runnable: &Runnable<'_>,
    generator: &Generator,
    definition: &TokenStream,
) -> TokenStream {
    let Runnable { timbal, output, .. } = runnable;
    let is_async = runnable.shape == Shape::Stream;
    let name = if is_async { quote!(generator) } else { quote!(iter_generator) };
    let kind = if generator.is_try { quote!(TryYields) } else { quote!(Yields) };
    // A function that cannot fail is underlined where it says what it returns.
    let name = respanned(quote!(#timbal::__private::#name), output.first);
    let kind = respanned(quote!(#timbal::__private::#kind), output.first);
    let body = body(runnable);
    let items = item_probe(runnable, &generator.item, !generator.uses_returned);
    let returned = returned_probe(runnable, generator);
    let item = inferred(&generator.item.ty);
    let types = quote_spanned!(output.last=> ::<#kind, #item, _, _>);
    let arguments = quote!(#definition, #body, #items, #returned);
    let arguments = group(Delimiter::Parenthesis, arguments, output.last);
    quote!(#name #types #arguments)
}

/// The type of what is taken: of a generator that can fail the last of them is an `Err`.
fn item(runnable: &Runnable<'_>, generator: &Generator) -> Type {
    let Runnable { timbal, item, .. } = runnable;
    let value = &generator.item.ty;
    if !generator.is_try {
        return value.clone();
    }
    let ReturnType::Type(_, returned) = &item.signature.output else { return value.clone() };
    let Output { first, last, .. } = runnable.output;
    let error = error(returned).map_or_else(
        || {
            let fallible = respanned(quote!(as #timbal::__private::Fallible), first);
            let [open, close] = [quote_spanned!(first=> <), quote_spanned!(last=> >::Error)];
            quote!(#open #returned #fallible #close)
        },
        ToTokens::to_token_stream,
    );
    let [result, end] = [quote_spanned!(first=> ::core::result::Result<), quote_spanned!(last=> >)];
    parse_quote!(#result #value, #error #end)
}

/// The `E` of a `Result<R, E>`, if that is how it is written.
fn error(returned: &Type) -> Option<&Type> {
    let Type::Path(path) = returned else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.iter().collect::<Vec<_>>()[..] {
        [GenericArgument::Type(_), GenericArgument::Type(error)] => Some(error),
        _ => None,
    }
}

// Output:
//     |output, ending| {
//         let timbal_output = ::timbal::__private::split!(output);
//         ending.error(timbal_output.1);
//         ending.returned(timbal_output.0);
//     }
fn returned_probe(runnable: &Runnable<'_>, generator: &Generator) -> TokenStream {
    let Runnable { args, output, .. } = runnable;
    let ending = Ident::new("ending", Span::mixed_site());
    split(runnable, output, &ending, |value| {
        let captures = (!args.skip_output).then(|| quote!(#ending.returned(#value);));
        let usage = args.usage.as_ref().filter(|_| generator.uses_returned);
        let usage = usage.map(|path| usage_of(&ending, value, path));
        quote!(#captures #usage)
    })
}
