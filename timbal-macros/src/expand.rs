//! The code that is written for a [`Runnable`]. It cannot fail: `check` has found what could.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, ReceiverKind, ReturnType, Signature, Type, Visibility, parse_quote};

use crate::args::{Args, Boxed, FoldBy};
use crate::item::Item;
use crate::lifetimes;
use crate::model::{MARKS, Parameter, Runnable, is_unused};
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
//     async move {
//         if false { return ::timbal::__private::declared::<Result<String, Error>>(); }
//         ::timbal::__private::input(|input| { input.field("name", &name); });
//         let name = name;
//         match () { () => { … } }
//     }
fn body(runnable: &Runnable<'_>) -> TokenStream {
    let Runnable { item, parameters, output, .. } = runnable;
    let body = &item.body;
    let boxed = runnable.is_boxed().then(|| Ident::new("call", Span::mixed_site()));
    let declared = declared(runnable);
    let rebinds = parameters.iter().map(rebind);
    let capture = capture(runnable, boxed.as_ref());
    let (first, last) =
        if runnable.captures_first() { (Some(capture), None) } else { (None, Some(capture)) };
    // An arm is done with its temporaries before the parameters are dropped, as the body of a function
    // is; the end of a block is not, before edition 2024.
    // It is dropped with the body also where this does not mention it.
    let receiver = item.signature.receiver().map(|receiver| receiver.self_token);
    let receiver = receiver.map(|receiver| quote!(let _ = &#receiver;));
    let block = quote! {
        #declared
        #receiver
        #first
        #(#rebinds)*
        #last
        match () {
            () => #body
        }
    };
    // rustc underlines `async` to `move` where it underlines the signature of an `async fn`.
    let asyncness = item.signature.asyncness;
    let moves = quote_spanned!(output.last=> move);
    let takes = asyncness.is_none().then(|| quote!(|#boxed|));
    let block = group(Delimiter::Brace, block, body.span());
    quote!(#asyncness #moves #takes #block)
}

// Output:
//     if false { return ::timbal::__private::declared::<Result<String, Error>>(); }
fn declared(runnable: &Runnable<'_>) -> Option<TokenStream> {
    let Runnable { timbal, item, output, .. } = runnable;
    let ty = match (&item.signature.output, runnable.form) {
        (_, Form::Opaque) => return None,
        _ if runnable.shape == Shape::Stream && runnable.form == Form::Async => return None,
        (ReturnType::Type(_, ty), _) => inferred(ty),
        (ReturnType::Default, _) => output.ty.clone(),
    };
    // From where the type begins to where it ends: there a wrong tail says what it should be.
    let declared = respanned(quote!(#timbal::__private::declared), output.first);
    let called = quote_spanned!(output.last=> ::<#ty>());
    Some(quote! {
        if false {
            return #declared #called;
        }
    })
}

/// The type, as far as it can be said in a body.
fn inferred(ty: &Type) -> Type {
    struct Infer;
    impl VisitMut for Infer {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            match ty {
                Type::ImplTrait(_) => *ty = parse_quote!(_),
                _ => visit_mut::visit_type_mut(self, ty),
            }
        }
    }
    let mut ty = ty.clone();
    Infer.visit_type_mut(&mut ty);
    ty
}

// Output:
//     ::timbal::__private::input(|input| { input.field("name", &name); input.redacted("key"); });
fn capture(runnable: &Runnable<'_>, boxed: Option<&Ident>) -> TokenStream {
    let Runnable { timbal, args, parameters, .. } = runnable;
    let input = Ident::new("input", Span::mixed_site());
    let receiver = runnable.item.signature.receiver().filter(|_| args.capture_self.is_some());
    let receiver = receiver.map(|receiver| {
        let token = receiver.self_token;
        let is_reference = matches!(receiver.kind, ReceiverKind::Reference(..));
        let value = if is_reference { quote!(*#token) } else { quote!(#token) };
        quote_spanned!(token.span=> #input.field("self", &#value);)
    });
    let fields = parameters.iter().flat_map(|parameter| fields(parameter, &input));
    let fields = receiver.into_iter().chain(fields);
    match (boxed, args.skip_input) {
        (None, true) => quote!(#timbal::__private::no_input();),
        (Some(_), true) => TokenStream::new(),
        (None, false) => quote!(#timbal::__private::input(|#input| { #(#fields)* });),
        (Some(call), false) => quote!(#call.input(|#input| { #(#fields)* });),
    }
}

fn fields<'a>(parameter: &'a Parameter<'_>, input: &'a Ident) -> impl Iterator<Item = TokenStream> {
    parameter.captured.iter().map(move |name| {
        let cfgs = parameter.attributes_where(is_cfg);
        let key = name.unraw().to_string();
        let field = match parameter.redact {
            Some(_) => quote!(#input.redacted(#key)),
            None => quote_spanned!(name.span()=> #input.field(#key, &#name)),
        };
        quote!(#(#cfgs)* #field;)
    })
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

// Input:
//     #[allow(unused)] #[cfg(unix)] mut name: String, (a, b): (u8, u8)
// Output:
//     #[cfg(unix)] name: String, __arg1: (u8, u8)
fn parameter(parameter: &Parameter<'_>) -> TokenStream {
    let Parameter { argument, ty, .. } = parameter;
    let attributes = parameter.attributes_where(|attribute| !is_lint(attribute));
    quote!(#(#attributes)* #argument: #ty)
}

// Output:
//     #[allow(unused)] #[cfg(unix)] let mut name = name;
//     let __arg1 = __arg1; let (a, b) = __arg1;
//
// This is what an `async fn` does: each is dropped when it would drop it, and what a pattern leaves too.
fn rebind(parameter: &Parameter<'_>) -> TokenStream {
    let Parameter { argument, pattern, .. } = parameter;
    let attributes =
        parameter.attributes_where(|attribute| is_lint(attribute) || is_cfg(attribute));
    let attributes = quote!(#(#attributes)*);
    match parameter.name() {
        Some(name) if is_unused(name) => {
            let quiet = quote!(#[allow(clippy::no_effect_underscore_binding)]);
            quote!(#attributes #quiet let #pattern = #argument;)
        }
        Some(_) => quote!(#attributes let #pattern = #argument;),
        None => {
            let cfgs = parameter.attributes_where(is_cfg);
            quote!(#(#cfgs)* let #argument = #argument; #attributes let #pattern = #argument;)
        }
    }
}

fn is_lint(attribute: &Attribute) -> bool {
    let levels = ["allow", "warn", "deny", "forbid", "expect"];
    levels.iter().any(|level| attribute.path().is_ident(level))
}

fn is_cfg(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
}

// Input:
//     async fn greet(#[skip] name: String) { … }
// Output:
//     async fn greet(name: String) { … }
//
// It need not be a function, nor one that can be parsed.
fn without_marks(item: TokenStream) -> TokenStream {
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
