//! What is wrong with a `Runnable`: a function for each rule.

use quote::format_ident;
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, Meta, Path, ReceiverKind, ReturnType, Type, TypeParamBound};

use crate::args::FoldBy;
use crate::closures;
use crate::errors::Errors;
use crate::model::Runnable;
use crate::recursion;
use crate::shape::{Form, Returned, Shape, plain_type, shape_of};
use crate::yields;

pub(crate) fn check(runnable: &Runnable<'_>, errors: &mut Errors) {
    for rule in [
        is_marked_once,
        is_called_by_others,
        has_a_self_to_capture,
        has_a_handle_to_hide,
        has_a_future_to_box,
        holds_no_call_of_itself,
        blocks,
        blocks_nobody_who_lends,
        is_plain,
        returns_a_value,
        returns_one_value,
        returns_no_more_than_a_call,
        yields_if_it_says_so,
        yields_what_it_returns,
        yields_without_waiting,
        yields_where_it_can_wait,
        items_are_folded,
        functions_are_no_parameters,
        name_fits_into_a_path,
        metadata_keys_differ,
        marks_take_nothing,
        skipped_is_not_redacted,
    ] {
        rule(runnable, errors);
    }
}

fn is_marked_once(runnable: &Runnable<'_>, errors: &mut Errors) {
    if let Some(path) = find(&runnable.item.attributes, &["runnable"]) {
        errors.push(path, "expected one `#[runnable]`");
    }
}

/// `#[tokio::main]` needs an `async fn` and leaves a sync one, as attributes of tests do.
fn is_called_by_others(runnable: &Runnable<'_>, errors: &mut Errors) {
    let signature = &runnable.item.signature;
    let message = "expected a function that `main` or a test calls, not `main` or a test";
    if let Some(path) = find(&runnable.item.attributes, &["main", "test"]) {
        errors.push(path, message);
    } else if signature.asyncness.is_none() && signature.ident == "main" {
        errors.push(&signature.ident, message);
    }
}

fn has_a_self_to_capture(runnable: &Runnable<'_>, errors: &mut Errors) {
    let Some(option) = &runnable.args.capture_self else { return };
    if runnable.item.signature.receiver().is_none() {
        errors.push(option, "expected a method: this function has no `self`");
    } else if runnable.args.skip_input {
        errors.push(option, "expected `skip_input` or `capture_self`, not both");
    }
}

/// Of a type that is named there is nothing to hide.
fn has_a_handle_to_hide(runnable: &Runnable<'_>, errors: &mut Errors) {
    let is_named = runnable.form == Form::Named && runnable.args.blocking.is_none();
    if let (Some(option), true) = (&runnable.args.opaque, is_named) {
        let message = "expected an `async fn`, or one of an `impl Future`, `Stream` or `Iterator`";
        errors.push(option, message);
    }
}

/// What is no `async fn` says what it boxes by its type.
fn has_a_future_to_box(runnable: &Runnable<'_>, errors: &mut Errors) {
    let Some(option) = &runnable.args.boxed else { return };
    if runnable.form == Form::Generator {
        let message = "expected `Box::pin(..)` where a generator calls itself, and no `boxed`";
        errors.push(&option.key, message);
    } else if (runnable.shape, runnable.form) != (Shape::Future, Form::Async) {
        errors.push(&option.key, "expected an `async fn` of a value");
    } else if runnable.args.opaque.is_some() {
        errors.push(&option.key, "expected `opaque` or `boxed`, not both");
    }
}

/// Only what is certain is said here, as rustc finds all that there is: a method can call a function of
/// its own name, and what another binding is called is not known.
fn holds_no_call_of_itself(runnable: &Runnable<'_>, errors: &mut Errors) {
    let signature = &runnable.item.signature;
    let is_future = (runnable.shape, runnable.form) == (Shape::Future, Form::Async);
    if !is_future || runnable.args.boxed.is_some() || signature.receiver().is_some() {
        return;
    }
    let found = recursion::find(runnable.item.body.stream(), &signature.ident);
    let is_bound =
        || runnable.parameters.iter().any(|it| recursion::mentions(it.pattern, &signature.ident));
    let is_method = || recursion::mentions(signature, &format_ident!("Self"));
    if let Some(name) = found.filter(|_| !is_bound() && !is_method()) {
        let message = format!(
            "expected `#[runnable(boxed)]`: a future that holds one of its own kind has no size \
             (another `{name}` is called by its path)"
        );
        errors.push(name, message);
    }
}

fn blocks(runnable: &Runnable<'_>, errors: &mut Errors) {
    let Some(option) = &runnable.args.blocking else { return };
    if runnable.item.signature.asyncness.is_some() {
        errors.push(option, "expected a `fn`: an `async fn` waits, and blocks no thread");
    } else if runnable.shape != Shape::Value {
        errors.push(option, "expected a `fn` of a value");
    }
}

/// The body goes on when its call is dropped, and what it borrowed is gone.
fn blocks_nobody_who_lends(runnable: &Runnable<'_>, errors: &mut Errors) {
    if runnable.args.blocking.is_none() {
        return;
    }
    const MESSAGE: &str = "expected an owned type: a blocking call can outlive its caller";
    for input in &runnable.item.signature.inputs {
        match input {
            FnArg::Receiver(receiver) => {
                if matches!(receiver.kind, ReceiverKind::Reference(..)) {
                    errors.push(receiver, MESSAGE);
                }
            }
            FnArg::Typed(typed) => match plain_type(&typed.ty) {
                Type::Reference(it)
                    if it.lifetime.as_ref().is_none_or(|it| it.ident != "static") =>
                {
                    errors.push(it, MESSAGE);
                }
                _ => {}
            },
        }
    }
}

/// What is recorded is recorded when it runs, by code that is Rust.
fn is_plain(runnable: &Runnable<'_>, errors: &mut Errors) {
    let signature = &runnable.item.signature;
    if let Some(constness) = signature.constness {
        let message = "expected a function that is not `const`: calls are recorded when they run";
        errors.push(constness, message);
    }
    if let Some(abi) = &signature.abi {
        let message = "expected a function of Rust, not an `extern` one: call a runnable in it";
        errors.push(abi, message);
    }
}

fn returns_a_value(runnable: &Runnable<'_>, errors: &mut Errors) {
    if let Type::Never(never) = plain_type(&runnable.output.ty) {
        let message = "expected `std::convert::Infallible`, with `skip_output`: `!` is no type on \
            stable Rust yet";
        errors.push(never, message);
    }
}

/// What an `async fn` gives when it is done is no future or iterator that goes on.
fn returns_one_value(runnable: &Runnable<'_>, errors: &mut Errors) {
    let (Shape::Future, Form::Async) = (runnable.shape, runnable.form) else { return };
    let Type::ImplTrait(output) = plain_type(&runnable.output.ty) else { return };
    for bound in &output.bounds {
        let TypeParamBound::Trait(bound) = bound else { continue };
        let Some(name) = bound.path.segments.last() else { continue };
        if shape_of(name).is_some() {
            let message =
                format!("expected a `fn`, not an `async fn`, of an `impl {}`", name.ident);
            errors.push(&bound.path, message);
        }
    }
}

/// What the function returns is a call, whatever else its body's own type can do.
fn returns_no_more_than_a_call(runnable: &Runnable<'_>, errors: &mut Errors) {
    if runnable.form != Form::Opaque {
        return;
    }
    for bound in runnable.bounds() {
        let TypeParamBound::Trait(bound) = bound else { continue };
        let Some(name) = bound.path.segments.last() else { continue };
        let is_auto = ["Send", "Sync", "Unpin"].iter().any(|auto| name.ident == auto);
        if !is_auto && shape_of(name).is_none() {
            let message = "expected `Send`, `Sync` or `Unpin`: a call has no other traits";
            errors.push(&bound.path, message);
        }
    }
}

fn yields_if_it_says_so(runnable: &Runnable<'_>, errors: &mut Errors) {
    match (&runnable.args.yields, yields::find(&runnable.item.body.stream())) {
        (Some(option), None) => {
            errors.push(&option.key, "expected a body that says `yield_!(value)`");
        }
        (None, Some(name)) => {
            let message = "expected `#[runnable(yields = T)]`, as this is how a generator yields, or \
                           `try_yields = T` if it returns a `Result`";
            errors.push(name, message);
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
}

/// What is yielded and what is returned in the end are two things.
fn yields_what_it_returns(runnable: &Runnable<'_>, errors: &mut Errors) {
    let Some(option) = &runnable.args.yields else { return };
    let signature = &runnable.item.signature;
    let returned = Returned::new(signature);
    let is_plain = [(Shape::Value, Form::Named), (Shape::Future, Form::Async)];
    if !is_plain.contains(&(returned.shape, returned.form)) {
        let message = "expected what it returns in the end: what it yields stands in the attribute";
        return errors.push(&signature.output, message);
    }
    let is_result = match &signature.output {
        ReturnType::Type(_, ty) => match &**ty {
            Type::Path(ty) => ty.path.segments.last().is_some_and(|last| last.ident == "Result"),
            _ => false,
        },
        ReturnType::Default if option.is_try => {
            let message = "expected `yields`, or a function that returns a `Result`";
            return errors.push(&option.key, message);
        }
        ReturnType::Default => false,
    };
    if is_result && !option.is_try {
        let message = "expected `try_yields`, as it returns a `Result`: its error is the last item";
        errors.push(&option.key, message);
    }
}

/// Its reader is all that a generator waits for that is not `async`.
fn yields_without_waiting(runnable: &Runnable<'_>, errors: &mut Errors) {
    if runnable.args.yields.is_none() || runnable.item.signature.asyncness.is_some() {
        return;
    }
    for word in yields::awaits(&runnable.item.body.stream()) {
        errors.push(word, "expected an `async fn`, or no `.await`: only `yield_!` waits in a `fn`");
    }
}

fn yields_where_it_can_wait(runnable: &Runnable<'_>, errors: &mut Errors) {
    if runnable.args.yields.is_none() {
        return;
    }
    for name in closures::yields(runnable.item.body.stream()) {
        let message = "expected `yield_!` in a loop or an `async` block: a closure cannot wait until its \
                       item is taken";
        errors.push(name, message);
    }
}

fn items_are_folded(runnable: &Runnable<'_>, errors: &mut Errors) {
    let Some(fold) = &runnable.args.fold else { return };
    if !matches!(runnable.shape, Shape::Stream | Shape::Iterator) {
        errors.push(
            &fold.key,
            "expected a function of a stream or an iterator, whose items it folds",
        );
    } else if runnable.args.skip_output {
        errors.push(&fold.key, "expected `skip_output` or `fold`, not both");
    }
}

/// A parameter hides the function of its name.
fn functions_are_no_parameters(runnable: &Runnable<'_>, errors: &mut Errors) {
    let fold = runnable.args.fold.as_ref().and_then(|fold| match &fold.by {
        FoldBy::Path(path) => Some(path),
        FoldBy::Concat | FoldBy::List | FoldBy::None => None,
    });
    for name in runnable.args.usage.iter().chain(fold).filter_map(|path| path.path.get_ident()) {
        if runnable.parameters.iter().any(|it| recursion::mentions(it.pattern, name)) {
            let message = format!(
                "expected a function, such as `self::{name}`: here `{name}` is a parameter"
            );
            errors.push(name, message);
        }
    }
}

fn name_fits_into_a_path(runnable: &Runnable<'_>, errors: &mut Errors) {
    let Some(name) = &runnable.args.name else {
        return;
    };
    let text = name.value();
    if text.is_empty() || text.contains(|c: char| c == '.' || c.is_control()) {
        errors.push(name, "expected a name: not empty, no `.`, no control character");
    }
}

fn metadata_keys_differ(runnable: &Runnable<'_>, errors: &mut Errors) {
    let keys = &runnable.args.metadata;
    for (at, (key, _)) in keys.iter().enumerate() {
        if keys[..at].iter().any(|(earlier, _)| earlier.unraw() == key.unraw()) {
            errors.push(key, format!("expected `{key}` only once"));
        }
    }
}

/// `#[skip]` and `#[redact]` are all that there is to say.
fn marks_take_nothing(runnable: &Runnable<'_>, errors: &mut Errors) {
    let marks = runnable.parameters.iter().flat_map(|it| it.skip.into_iter().chain(it.redact));
    for mark in marks.filter(|mark| !matches!(mark.meta, Meta::Path(_))) {
        if let Some(name) = mark.path().get_ident() {
            errors.push(&mark.meta, format!("expected `#[{name}]`"));
        }
    }
}

fn skipped_is_not_redacted(runnable: &Runnable<'_>, errors: &mut Errors) {
    for parameter in &runnable.parameters {
        if let (Some(_), Some(redact)) = (parameter.skip, parameter.redact) {
            errors.push(redact.path(), "expected `#[skip]` or `#[redact]`, not both");
        }
    }
}

/// The first attribute whose path ends like this.
fn find<'a>(attributes: &'a [Attribute], ends: &[&str]) -> Option<&'a Path> {
    attributes.iter().map(Attribute::path).find(|path| {
        path.segments.last().is_some_and(|last| ends.iter().any(|end| last.ident == end))
    })
}
