//! What is wrong with a `Runnable`: a function for each rule.

use syn::ext::IdentExt;
use syn::{Attribute, FnArg, Meta, Path, ReceiverKind, Type, TypeParamBound};

use crate::errors::Errors;
use crate::model::Runnable;
use crate::shape::{Form, Shape, shape_of};

pub(crate) fn check(runnable: &Runnable<'_>, errors: &mut Errors) {
    for rule in [
        is_marked_once,
        is_called_by_others,
        has_a_self_to_capture,
        has_a_handle_to_hide,
        has_a_future_to_box,
        blocks,
        blocks_nobody_who_lends,
        is_plain,
        returns_a_value,
        returns_one_value,
        returns_no_more_than_a_call,
        items_are_folded,
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
    if (runnable.shape, runnable.form) != (Shape::Future, Form::Async) {
        errors.push(&option.key, "expected an `async fn` of a value");
    } else if runnable.args.opaque.is_some() {
        errors.push(&option.key, "expected `opaque` or `boxed`, not both");
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
            FnArg::Typed(typed) => match &*typed.ty {
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
    if let Type::Never(never) = &runnable.output.ty {
        let message = "expected `std::convert::Infallible`: `!` is no type on stable Rust yet";
        errors.push(never, message);
    }
}

/// What an `async fn` gives when it is done is no future or iterator that goes on.
fn returns_one_value(runnable: &Runnable<'_>, errors: &mut Errors) {
    let (Shape::Future, Form::Async) = (runnable.shape, runnable.form) else { return };
    let Type::ImplTrait(output) = &runnable.output.ty else { return };
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
