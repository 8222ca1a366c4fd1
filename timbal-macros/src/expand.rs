//! The code that is written for a [`Runnable`]. It cannot fail: `check` has found what could.

mod body;
mod marks;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Signature, Visibility, parse_quote};

use self::body::{body, inferred, parameter};
use self::marks::without_marks;
use crate::args::{Args, Boxed, FoldBy};
use crate::item::Item;
use crate::lifetimes;
use crate::model::Runnable;
use crate::shape::{Form, Shape};

// Input:
//     #[runnable]
//     pub async fn greet(name: String) -> Result<String, Error> { … }
// Output:
//     pub fn greet(name: String) -> ::timbal::Call<impl Future<Output = Result<String, Error>>> {
//         ::timbal::__private::call({ definition }, async move { body }, |output, ending| { probe })
//     }
pub(crate) fn expand(runnable: &Runnable<'_>) -> TokenStream {
    let Runnable { item, parameters, .. } = runnable;
    let Item { attributes, visibility, signature, .. } = item;
    let Signature { safety, fn_token, ident, generics, .. } = signature;
    let where_clause = &generics.where_clause;
    let receiver = signature.receiver().map(ToTokens::to_token_stream);
    let parameters = receiver.into_iter().chain(parameters.iter().map(parameter));
    let refines = refines(runnable);
    let returns = returns(runnable);
    let call = call(runnable);
    quote! {
        #(#attributes)*
        #refines
        #visibility #safety #fn_token #ident #generics (#(#parameters),*) #returns
        #where_clause
        {
            #call
        }
    }
}

/// What is without visibility may stand in the `impl` of a trait: there a handle says more than the
/// trait does, as it should.
fn refines(runnable: &Runnable<'_>) -> Option<TokenStream> {
    let is_inherited = matches!(runnable.item.visibility, Visibility::Inherited);
    let is_handle = runnable.form != Form::Named && runnable.args.opaque.is_none();
    (is_inherited && is_handle).then(|| quote!(#[allow(refining_impl_trait)]))
}

// Output:
//     -> ::timbal::Call<impl Future<Output = Result<String, Error>>>
fn returns(runnable: &Runnable<'_>) -> TokenStream {
    let Runnable { timbal, args, item, output, .. } = runnable;
    let output = &output.ty;
    // An `impl` of our own, thus of our edition: it captures every lifetime.
    let bounds = runnable.bounds();
    let written = quote!(impl #(#bounds)+*);
    if let Some(boxed) = &args.boxed {
        let future = if boxed.is_local { quote!(LocalBoxFuture) } else { quote!(BoxFuture) };
        let lifetime = lifetimes::shortest();
        return quote!(-> #timbal::Call<#timbal::__private::#future<#lifetime, #output>>);
    }
    let hidden = match (runnable.shape, runnable.form) {
        _ if args.blocking.is_some() => quote!(impl ::core::future::Future<Output = #output>),
        (_, Form::Named) => return item.signature.output.to_token_stream(),
        (_, Form::Opaque) => written,
        (Shape::Stream, Form::Async) => quote!(impl ::core::future::Future<Output = #written>),
        (_, Form::Async) => quote!(impl ::core::future::Future<Output = #output>),
    };
    let handle = match (runnable.shape, runnable.form) {
        _ if args.opaque.is_some() => return quote!(-> #hidden),
        (Shape::Stream, Form::Async) => quote!(StreamCallFuture),
        (Shape::Stream, _) => quote!(StreamCall),
        (Shape::Iterator, _) => quote!(IterCall),
        (Shape::Future | Shape::Value, _) => quote!(Call),
    };
    quote!(-> #timbal::#handle<#hidden>)
}

// Output:
//     ::timbal::__private::call({ definition }, async move { body }, |output, ending| { probe })
//
// or, where the declared type says what the body's own type cannot,
//
//     ::timbal::__private::future::<u8, _, _>({ definition }, move || { body }, …)
//     ::timbal::__private::boxed({ definition }).future::<u8, _>(move |call| { body }, …)
fn call(runnable: &Runnable<'_>) -> TokenStream {
    let Runnable { timbal, output, .. } = runnable;
    let definition = definition(runnable);
    let body = body(runnable);
    let probe = probe(runnable);
    let name = match (runnable.shape, runnable.form) {
        (Shape::Value, _) => {
            let name = if let Some(option) = &runnable.args.blocking {
                quote_spanned!(option.span()=> blocking)
            } else {
                quote!(value)
            };
            return quote!(#timbal::__private::#name(#definition, #body, #probe));
        }
        (Shape::Future, Form::Async) => {
            let name = match &runnable.args.boxed {
                Some(boxed) if boxed.is_local => quote!(local_box_call),
                Some(_) => quote!(box_call),
                None => quote!(call),
            };
            return quote!(#timbal::__private::#name(#definition, #body, #probe));
        }
        (Shape::Future, _) => "future",
        (Shape::Stream, Form::Async) => "stream_future",
        (Shape::Stream, _) => "stream",
        (Shape::Iterator, _) => "iterator",
    };
    // Where a body of another type is underlined.
    let name = Ident::new(name, output.first);
    let captured = inferred(&output.ty);
    if runnable.is_boxed() {
        let captured = quote_spanned!(output.last=> ::<#captured, _>);
        return quote!(#timbal::__private::boxed(#definition).#name #captured (#body, #probe));
    }
    let private = respanned(quote!(#timbal::__private), output.first);
    let captured = quote_spanned!(output.last=> ::<#captured, _, _>);
    quote!(#private::#name #captured (#definition, #body, #probe))
}

// Output:
//     #[::timbal::runnable(skip_input, metadata(model = "gpt-5"))]
pub(crate) fn attribute(args: &Args) -> Attribute {
    let timbal = args.timbal.clone().unwrap_or_else(|| parse_quote!(::timbal));
    let skip_input = args.skip_input.then(|| quote!(skip_input,));
    let skip_output = args.skip_output.then(|| quote!(skip_output,));
    let capture_self = args.capture_self.as_ref().map(|option| quote!(#option,));
    let opaque = args.opaque.as_ref().map(|option| quote!(#option,));
    let boxed = args.boxed.as_ref().map(|Boxed { key, is_local }| {
        let local = is_local.then(|| quote!((local)));
        quote!(#key #local,)
    });
    let pairs = args.metadata.iter().map(|(key, literal)| quote!(#key = #literal));
    let path = args.timbal.as_ref().map(|path| quote!(crate = #path));
    parse_quote! {
        #[#timbal::runnable(
            #skip_input #skip_output #capture_self #opaque #boxed metadata(#(#pairs),*), #path
        )]
    }
}

/// The item as the user wrote it, and beside it all that is wrong with it.
pub(crate) fn fallback(tokens: TokenStream, error: &syn::Error) -> TokenStream {
    let item = without_marks(tokens);
    let errors = error.to_compile_error();
    quote!(#item #errors)
}

// Output:
//     ::timbal::__private::definition!("greet", "model" = "\"gpt-5\"")
fn definition(runnable: &Runnable<'_>) -> TokenStream {
    let Runnable { timbal, item, name, .. } = runnable;
    // Every token stands at the function's name, or `line!()` would be the line of the attribute.
    let span = item.signature.ident.span();
    let private = respanned(quote!(#timbal::__private), span);
    let metadata = runnable.metadata.iter().map(|(key, json)| quote_spanned!(span=> #key = #json));
    quote_spanned!(span=> #private::definition!(#name #(, #metadata)*))
}

// Output:
//     |output, ending| {
//         let timbal_output = ::timbal::__private::split!(output);
//         ending.error(timbal_output.1);
//         ending.output(timbal_output.0);
//     }
fn probe(runnable: &Runnable<'_>) -> TokenStream {
    let Runnable { timbal, args, output: ty, .. } = runnable;
    let [output, ending] = ["output", "ending"].map(|name| Ident::new(name, Span::mixed_site()));
    // From the first token of the type to its last, and in the user's context: that is where a type
    // that cannot be captured is underlined, with no word of a macro.
    let split = Ident::new("timbal_output", ty.first);
    let value = quote_spanned!(ty.last=> #split.0);
    let captures = match args.fold.as_ref().map(|fold| &fold.by) {
        _ if args.skip_output => TokenStream::new(),
        None => quote!(#ending.output(#value);),
        Some(FoldBy::Concat) => quote!(#ending.concat(#value);),
        Some(FoldBy::List) => quote!(#ending.list(#value);),
        Some(FoldBy::None) => quote!(#ending.chunk(#value);),
        Some(FoldBy::Path(path)) => quote_spanned!(path.span()=> #ending.fold(#value, #path);),
    };
    let usage =
        args.usage.as_ref().map(|path| quote_spanned!(path.span()=> #ending.usage(#value, #path);));
    quote! {
        |#output, #ending| {
            let #split = #timbal::__private::split!(#output);
            #ending.error(#split.1);
            #captures
            #usage
        }
    }
}

fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    let respan = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.into_iter().map(respan).collect()
}

fn group(delimiter: Delimiter, stream: TokenStream, span: Span) -> Group {
    let mut group = Group::new(delimiter, stream);
    group.set_span(span);
    group
}
