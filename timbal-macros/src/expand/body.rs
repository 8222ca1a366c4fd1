//! The body: the user's own, behind what captures its input and takes its parameters.

use proc_macro2::{Delimiter, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Receiver, ReceiverKind, ReturnType, Type, parse_quote};

use super::{at, group, respanned};
use crate::model::{Parameter, Runnable, is_unused};
use crate::shape::{Form, Shape};
use crate::yields;

// Output:
//     async move {
//         if false { return ::timbal::__private::declared::<Result<String, Error>>(); }
//         ::timbal::__private::input(|input| { input.field(",\"name\":", &name); });
//         let name = name;
//         match () { () => { … } }
//     }
pub(super) fn body(runnable: &Runnable<'_>) -> TokenStream {
    let Runnable { item, parameters, output, .. } = runnable;
    let body = match &runnable.noted {
        Some(noted) => &group(Delimiter::Brace, noted.clone(), item.body.span()),
        None => &item.body,
    };
    let yielder = runnable.generator.as_ref().map(|_| yields::yielder());
    let body = match &yielder {
        Some(_) => &yields::bind(body, &runnable.timbal),
        None => body,
    };
    let boxed = runnable.is_made_first().then(|| Ident::new("call", Span::mixed_site()));
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
    let uses = yielder.as_ref().map(|yielder| quote!(let #yielder = &#yielder; let _ = #yielder;));
    let arm = at(quote!(match () { () => #body }), body.span());
    let block = quote! {
        #declared
        #uses
        #receiver
        #first
        #(#rebinds)*
        #last
        #arm
    };
    // rustc underlines `async` to `move` where it underlines the signature of an `async fn`.
    let asyncness = item.signature.asyncness;
    let moves = quote_spanned!(output.last=> move);
    let takes = asyncness.is_none().then(|| {
        let returns = returns(runnable);
        quote!(|#boxed| #returns)
    });
    let block = group(Delimiter::Brace, block, body.span());
    if let Some(yielder) = yielder {
        return quote!(move |#yielder| async #moves #block);
    }
    quote!(#asyncness #moves #takes #block)
}

/// What the closure of a type that is named returns.
fn returns(runnable: &Runnable<'_>) -> Option<TokenStream> {
    match (&runnable.item.signature.output, runnable.form) {
        (ReturnType::Type(arrow, ty), Form::Named) => {
            let ty = inferred(ty);
            Some(quote!(#arrow #ty))
        }
        (ReturnType::Default, Form::Named) => Some(quote!(-> ())),
        _ => None,
    }
}

// Output:
//     if false { return ::timbal::__private::declared::<Result<String, Error>>(); }
fn declared(runnable: &Runnable<'_>) -> Option<TokenStream> {
    let Runnable { timbal, item, output, .. } = runnable;
    // What a closure returns is said in front of it.
    if item.signature.asyncness.is_none() && runnable.generator.is_none() {
        return None;
    }
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
pub(super) fn inferred(ty: &Type) -> Type {
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
//     ::timbal::__private::input(|input| { input.field(",\"name\":", &name); input.redacted(",\"key\":"); });
fn capture(runnable: &Runnable<'_>, boxed: Option<&Ident>) -> TokenStream {
    let Runnable { timbal, args, parameters, .. } = runnable;
    let input = Ident::new("input", Span::mixed_site());
    let receiver = runnable.item.signature.receiver().filter(|_| args.capture_self.is_some());
    let receiver = receiver.map(|receiver| {
        let token = receiver.self_token;
        // What `&self`, `self: Arc<Self>` and the like point to.
        let value = if is_pointer(receiver) { quote!(*#token) } else { quote!(#token) };
        let key = json_key("self");
        quote_spanned!(token.span=> #input.field(#key, &#value);)
    });
    let fields = parameters.iter().flat_map(|parameter| fields(parameter, &input));
    let fields = receiver.into_iter().chain(fields);
    match (boxed, args.skip_input) {
        (None, true) => quote!(#timbal::__private::no_input();),
        (Some(call), true) => quote!(#call.no_input();),
        (None, false) => quote!(#timbal::__private::input(|#input| { #(#fields)* });),
        (Some(call), false) => quote!(#call.input(|#input| { #(#fields)* });),
    }
}

fn is_pointer(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Reference(..) => true,
        ReceiverKind::Typed(_, ty) => match &**ty {
            Type::Reference(_) => true,
            Type::Path(ty) => ty.path.segments.last().is_some_and(|last| {
                ["Box", "Rc", "Arc", "Pin"].iter().any(|pointer| last.ident == pointer)
            }),
            _ => false,
        },
        _ => false,
    }
}

fn fields<'a>(parameter: &'a Parameter<'_>, input: &'a Ident) -> impl Iterator<Item = TokenStream> {
    parameter.captured.iter().map(move |name| {
        let cfgs = parameter.attributes_where(is_cfg);
        let key = json_key(&name.unraw().to_string());
        let field = match parameter.redact {
            Some(_) => quote!(#input.redacted(#key)),
            None => quote_spanned!(name.span()=> #input.field(#key, &#name)),
        };
        quote!(#(#cfgs)* #field;)
    })
}

/// A name as the key of a JSON object, with the comma before it.
fn json_key(name: &str) -> String {
    format!(",\"{name}\":")
}

// Input:
//     #[allow(unused)] #[cfg(unix)] mut name: String, (a, b): (u8, u8)
// Output:
//     #[cfg(unix)] name: String, __arg1: (u8, u8)
pub(super) fn parameter(parameter: &Parameter<'_>) -> TokenStream {
    let Parameter { argument, ty, .. } = parameter;
    let attributes = parameter.attributes_where(|attribute| !is_lint(attribute));
    quote!(#(#attributes)* #argument: #ty)
}

// Output:
//     #[allow(unused)] #[cfg(unix)] let mut name = name;
//     let mut __arg1 = __arg1; let (a, b) = __arg1;
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
            // `ref mut` borrows from it.
            quote!(#(#cfgs)* let mut #argument = #argument; #attributes let #pattern = #argument;)
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
