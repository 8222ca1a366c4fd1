//! The code that is written for a [`Runnable`]. It cannot fail: `check` has found what could.

mod body;
mod generator;
mod marks;
mod notes;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, ExprPath, ReturnType, Signature, Visibility, parse_quote};

use self::body::{body, inferred, parameter};
use self::marks::without_marks;
pub(crate) use self::notes::{noted, quiet, returned};
use crate::args::{Args, Boxed, FoldBy};
use crate::item::Item;
use crate::lifetimes;
use crate::model::{Output, Runnable};
use crate::shape::{Form, Shape};

// Input:
//     #[runnable]
//     pub async fn greet(name: String) -> Result<String, Error> { … }
// Output:
//     pub fn greet(name: String) -> ::timbal::Call<impl Future<Output = Result<String, Error>>> {
//         ::timbal::__private::call({ definition }, async move { body }, { probe })
//     }
pub(crate) fn expand(runnable: &Runnable<'_>) -> TokenStream {
    let Runnable { item, parameters, .. } = runnable;
    let Item { attributes, visibility, signature, .. } = item;
    let Signature { safety, fn_token, ident, generics, .. } = signature;
    let where_clause = &generics.where_clause;
    let receiver = signature.receiver().map(ToTokens::to_token_stream);
    let parameters = receiver.into_iter().chain(parameters.iter().map(parameter));
    let allowed = allowed(runnable);
    let returns = returns(runnable);
    let definition = definition(runnable);
    let (stated, definition) = match &runnable.noted {
        Some(_) => notes::state(runnable, definition),
        None => (TokenStream::new(), definition),
    };
    let call = call(runnable, &definition);
    quote! {
        #(#attributes)*
        #allowed
        #visibility #safety #fn_token #ident #generics (#(#parameters),*) #returns
        #where_clause
        {
            #stated
            #call
        }
    }
}

/// Lints that would speak of our code, not of the user's.
// Output:
//     #[allow(refining_impl_trait)]
fn allowed(runnable: &Runnable<'_>) -> Option<TokenStream> {
    let mut lints = Vec::new();
    let is_inherited = matches!(runnable.item.visibility, Visibility::Inherited);
    let is_handle = runnable.form != Form::Named && runnable.args.opaque.is_none();
    if is_inherited && is_handle {
        // It may stand in the `impl` of a trait: there a handle says more than the trait does.
        lints.push(quote!(refining_impl_trait));
    }
    if runnable.drops_lifetimes() {
        lints.push(quote!(single_use_lifetimes));
    }
    let receiver = runnable.item.signature.receiver();
    if receiver.is_some_and(|it| it.mutability.is_some()) {
        // What a body captures and only assigns to is never read, says rustc, though it is dropped.
        lints.push(quote!(unused_assignments));
    }
    (!lints.is_empty()).then(|| quote!(#[allow(#(#lints),*)]))
}

// Output:
//     -> ::timbal::Call<impl Future<Output = Result<String, Error>>>
fn returns(runnable: &Runnable<'_>) -> TokenStream {
    if let Some(generator) = &runnable.generator {
        return generator::returns(runnable, generator);
    }
    let Runnable { timbal, args, output: Output { ty, returned: [first, last], .. }, .. } =
        runnable;
    if let Some(boxed) = &args.boxed {
        let future = if boxed.is_local { quote!(LocalBoxFuture) } else { quote!(BoxFuture) };
        let lifetime = lifetimes::shortest();
        return quote!(-> #timbal::Call<#timbal::__private::#future<#lifetime, #ty>>);
    }
    // What is wrong with the body's own type is underlined where the function says what it returns.
    let end = at(quote!(>), *last);
    let future = at(quote!(impl ::core::future::Future<Output =), *first);
    let hidden = match (runnable.shape, runnable.form) {
        _ if args.blocking.is_some() => quote!(#future #ty #end),
        (_, Form::Named) => return runnable.item.signature.output.to_token_stream(),
        (_, Form::Opaque) => hidden(runnable),
        (Shape::Stream, Form::Async) => {
            let stream = hidden(runnable);
            quote!(#future #stream #end)
        }
        (_, Form::Async | Form::Generator) => quote!(#future #ty #end),
    };
    let handle = match (runnable.shape, runnable.form) {
        _ if args.opaque.is_some() => return quote!(-> #hidden),
        (Shape::Stream, Form::Async) => quote!(StreamCallFuture),
        (Shape::Stream, _) => quote!(StreamCall),
        (Shape::Iterator, _) => quote!(IterCall),
        (Shape::Future | Shape::Value, _) => quote!(Call),
    };
    let handle = at(quote!(#timbal::#handle<), *first);
    quote!(-> #handle #hidden #end)
}

/// The `impl …` of the return type, which captures what the body does.
fn hidden(runnable: &Runnable<'_>) -> TokenStream {
    match &runnable.item.signature.output {
        ReturnType::Type(_, ty) if runnable.keeps_lifetimes() => ty.to_token_stream(),
        _ => {
            // An `impl` of our own, thus of our edition: it captures every lifetime.
            let hides = at(quote!(impl), runnable.output.returned[0]);
            let bounds = runnable.bounds();
            quote!(#hides #(#bounds)+*)
        }
    }
}

// Output:
//     ::timbal::__private::call({ definition }, async move { body }, { probe })
//
// or, where the declared type says what the body's own type cannot,
//
//     ::timbal::__private::future::<u8, _, _>({ definition }, move || { body }, …)
//     ::timbal::__private::boxed({ definition }).future::<u8, _>(move |call| { body }, …)
//     ::timbal::__private::boxed({ definition }).hidden_future::<u8, _>(move |call| { body }, …)
fn call(runnable: &Runnable<'_>, definition: &TokenStream) -> TokenStream {
    if let Some(generator) = &runnable.generator {
        return generator::call(runnable, generator, definition);
    }
    let Runnable { timbal, output, .. } = runnable;
    let body = body(runnable);
    let probe = probe(runnable);
    // A borrow that does not live long enough is underlined in the body.
    let place = runnable.item.body.span();
    let private = at(quote!(#timbal::__private), place);
    let arguments = at(quote!((#definition, #body, #probe)), place);
    let name = match (runnable.shape, runnable.form) {
        (Shape::Value, _) => {
            let name = if let Some(option) = &runnable.args.blocking {
                quote_spanned!(option.span()=> blocking)
            } else {
                quote!(value)
            };
            return quote!(#private::#name #arguments);
        }
        (Shape::Future, Form::Async) => {
            let name = match &runnable.args.boxed {
                Some(boxed) if boxed.is_local => quote!(local_box_call),
                Some(_) => quote!(box_call),
                None => quote!(call),
            };
            return quote!(#private::#name #arguments);
        }
        (Shape::Future, _) if runnable.is_in_box() => "unpinned_future",
        (Shape::Future, _) => "future",
        (Shape::Stream, Form::Async) => "stream_future",
        (Shape::Stream, _) if runnable.is_in_box() => "unpinned_stream",
        (Shape::Stream, _) => "stream",
        (Shape::Iterator, _) => "iterator",
    };
    // Where a body of another type is underlined.
    let [first, last] = output.returned;
    let name = Ident::new(name, first);
    let captured = inferred(&output.ty);
    if runnable.is_made_first() {
        let name = if runnable.is_boxed() { name } else { format_ident!("hidden_{name}") };
        let captured = quote_spanned!(last=> ::<#captured, _>);
        let arguments = at(quote!((#body, #probe)), place);
        return quote!(#private::boxed(#definition).#name #captured #arguments);
    }
    let private = respanned(private, first);
    let captured = quote_spanned!(last=> ::<#captured, _, _>);
    quote!(#private::#name #captured #arguments)
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
//     ::timbal::__private::probe::<Result<String, Error>>().rung().found().output()
//
// or, where it is to be asked for more, or its type is not written,
//
//     |output, ending| {
//         let timbal_output = ::timbal::__private::split!(output);
//         ending.error(timbal_output.1);
//         ending.output(timbal_output.0);
//     }
fn probe(runnable: &Runnable<'_>) -> TokenStream {
    let Runnable { timbal, args, output, .. } = runnable;
    let Output { ty, first, last, .. } = output;
    let is_one = matches!(runnable.shape, Shape::Value | Shape::Future);
    if !is_one || output.is_hidden || args.usage.is_some() {
        return item_probe(runnable, output, true);
    }
    // From the first token of the type to its last: that is where one that cannot be captured is
    // underlined.
    let probe = respanned(quote!(#timbal::__private::probe), *first);
    let says = if args.skip_output { quote!(error) } else { quote!(output) };
    let says = respanned(says, *last);
    quote_spanned!(*last=> #probe::<#ty>().rung().found().#says())
}

/// The same of each item, if the call gives items.
fn item_probe(runnable: &Runnable<'_>, item: &Output, has_usage: bool) -> TokenStream {
    let Runnable { args, .. } = runnable;
    let ending = Ident::new("ending", Span::mixed_site());
    split(runnable, item, &ending, |value| {
        let captures = match args.fold.as_ref().map(|fold| &fold.by) {
            _ if args.skip_output => TokenStream::new(),
            None => quote!(#ending.output(#value);),
            Some(FoldBy::Concat) => quote!(#ending.concat(#value);),
            Some(FoldBy::List) => quote!(#ending.list(#value);),
            Some(FoldBy::None) => quote!(#ending.chunk(#value);),
            Some(FoldBy::Path(path)) => quote_spanned!(path.span()=> #ending.fold(#value, #path);),
        };
        let usage = args.usage.as_ref().filter(|_| has_usage);
        let usage = usage.map(|path| usage_of(&ending, value, path));
        quote!(#captures #usage)
    })
}

/// What is said of a value, and of an error if it is one.
fn split(
    runnable: &Runnable<'_>,
    ty: &Output,
    ending: &Ident,
    says: impl FnOnce(&TokenStream) -> TokenStream,
) -> TokenStream {
    let timbal = &runnable.timbal;
    let output = Ident::new("output", Span::mixed_site());
    // From the first token of the type to its last, and in the user's context: that is where a type
    // that cannot be captured is underlined, with no word of a macro.
    let split = Ident::new("timbal_output", ty.first);
    let says = says(&quote_spanned!(ty.last=> #split.0));
    quote! {
        |#output, #ending| {
            let #split = #timbal::__private::split!(#output);
            #ending.error(#split.1);
            #says
        }
    }
}

fn usage_of(ending: &Ident, value: &TokenStream, path: &ExprPath) -> TokenStream {
    quote_spanned!(path.span()=> #ending.usage(#value, #path);)
}

fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    let respan = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.into_iter().map(respan).collect()
}

/// These tokens there, still as ours.
fn at(tokens: TokenStream, span: Span) -> TokenStream {
    let locate = |mut token: TokenTree| {
        token.set_span(token.span().located_at(span));
        token
    };
    tokens.into_iter().map(locate).collect()
}

fn group(delimiter: Delimiter, stream: TokenStream, span: Span) -> Group {
    let mut group = Group::new(delimiter, stream);
    group.set_span(span);
    group
}
