//! What is wrong with a `Runnable`: a function for each rule.

use syn::ext::IdentExt;
use syn::{Attribute, Meta, Path, Type, TypeParamBound};

use crate::errors::Errors;
use crate::model::Runnable;

pub(crate) fn check(runnable: &Runnable<'_>, errors: &mut Errors) {
    for rule in [
        is_marked_once,
        is_called_by_others,
        is_async,
        is_free,
        is_plain,
        returns_a_value,
        returns_one_value,
        name_fits_into_a_path,
        metadata_keys_differ,
        marks_take_nothing,
        skipped_is_not_redacted,
    ] {
        rule(runnable, errors);
    }
}

/// What to say where the attribute cannot stand yet.
pub(crate) fn so_far(not: &str) -> String {
    format!("`#[runnable]` is for free `async fn`s so far, not for {not}")
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

fn is_async(runnable: &Runnable<'_>, errors: &mut Errors) {
    let signature = &runnable.item.signature;
    let is_told = signature.constness.is_some() || signature.ident == "main";
    if signature.asyncness.is_none() && !is_told {
        errors.push(signature.fn_token, so_far("sync ones"));
    }
}

fn is_free(runnable: &Runnable<'_>, errors: &mut Errors) {
    if let Some(receiver) = runnable.item.signature.receiver() {
        errors.push(receiver.self_token, so_far("methods"));
    }
}

fn is_plain(runnable: &Runnable<'_>, errors: &mut Errors) {
    let signature = &runnable.item.signature;
    if let Some(constness) = signature.constness {
        errors.push(constness, so_far("`const` ones"));
    }
    if let Some(abi) = &signature.abi {
        errors.push(abi, so_far("`extern` ones"));
    }
}

fn returns_a_value(runnable: &Runnable<'_>, errors: &mut Errors) {
    if let Type::Never(never) = &runnable.output.ty {
        let message = "expected `std::convert::Infallible`: `!` is no type on stable Rust yet";
        errors.push(never, message);
    }
}

/// What an `async fn` gives when it is done is not yet what a future, stream or iterator gives.
fn returns_one_value(runnable: &Runnable<'_>, errors: &mut Errors) {
    let (Some(_), Type::ImplTrait(output)) =
        (runnable.item.signature.asyncness, &runnable.output.ty)
    else {
        return;
    };
    for bound in &output.bounds {
        let TypeParamBound::Trait(bound) = bound else { continue };
        let Some(name) = bound.path.segments.last() else { continue };
        if ["Future", "Stream", "Iterator"].iter().any(|shape| name.ident == shape) {
            errors.push(&bound.path, so_far(&format!("those of an `impl {}`", name.ident)));
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
