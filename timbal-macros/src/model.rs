//! `Runnable`: what was asked for, in our words.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    Attribute, FnArg, Lit, LitStr, Pat, PatIdent, PatType, Path, ReturnType, Signature, Type,
    TypeParamBound, parse_quote,
};

use crate::args::Args;
use crate::errors::Errors;
use crate::item::Item;
use crate::shape::{Form, Returned, Shape};

/// What a user can say on a parameter.
pub(crate) const MARKS: [&str; 2] = ["skip", "redact"];

/// A function that is to be observed, and how.
pub(crate) struct Runnable<'a> {
    pub(crate) args: &'a Args,
    pub(crate) item: &'a Item,
    /// Where timbal is found.
    pub(crate) timbal: Path,
    /// What its calls are called.
    pub(crate) name: String,
    /// What its calls carry: keys, and values as JSON.
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) parameters: Vec<Parameter<'a>>,
    pub(crate) shape: Shape,
    pub(crate) form: Form,
    pub(crate) output: Output,
}

/// A parameter that is not `self`.
pub(crate) struct Parameter<'a> {
    pub(crate) pattern: &'a Pat,
    pub(crate) ty: &'a Type,
    pub(crate) skip: Option<&'a Attribute>,
    pub(crate) redact: Option<&'a Attribute>,
    /// Its other attributes.
    attributes: Vec<&'a Attribute>,
    /// What it is called until the body binds its pattern.
    pub(crate) argument: Ident,
    /// The names that it binds, but for those that begin with `_`.
    pub(crate) captured: Vec<&'a Ident>,
}

/// What a call gives, or each of its items: `()` if the function does not say.
pub(crate) struct Output {
    pub(crate) ty: Type,
    /// Where the type begins: at the end of the parameters if it is not written.
    pub(crate) first: Span,
    /// Where it ends.
    pub(crate) last: Span,
}

impl<'a> Runnable<'a> {
    pub(crate) fn new(args: &'a Args, item: &'a Item, errors: &mut Errors) -> Self {
        let signature = &item.signature;
        let typed = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        let name = args.name.as_ref().map(LitStr::value);
        let returned = Returned::new(signature);
        Self {
            args,
            item,
            timbal: args.timbal.clone().unwrap_or_else(|| parse_quote!(::timbal)),
            name: name.unwrap_or_else(|| signature.ident.unraw().to_string()),
            metadata: metadata(args, errors),
            parameters: typed.enumerate().map(|(at, typed)| Parameter::new(at, typed)).collect(),
            shape: returned.shape,
            form: returned.form,
            output: Output::new(signature, returned.captured),
        }
    }

    /// Whether the body is one that the function boxes, as its type says.
    pub(crate) fn is_boxed(&self) -> bool {
        self.form == Form::Named && self.shape != Shape::Value
    }

    /// What the return type says in `impl …`, but for lifetimes: a handle captures all there are.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = &TypeParamBound> {
        let written = match &self.item.signature.output {
            ReturnType::Type(_, ty) => match &**ty {
                Type::ImplTrait(written) => Some(&written.bounds),
                _ => None,
            },
            ReturnType::Default => None,
        };
        let is_trait = |bound: &&TypeParamBound| matches!(bound, TypeParamBound::Trait(_));
        written.into_iter().flatten().filter(is_trait)
    }

    /// Whether the parameters can be captured before the body binds them.
    ///
    /// Then rustc still sees which of them the body does not use. It cannot be if there are names in
    /// patterns, nor if parameters that are not captured stand before others: a body takes its
    /// parameters in the order in which it mentions them, and a call that was never polled drops them
    /// in that order.
    pub(crate) fn captures_first(&self) -> bool {
        let mut others =
            self.parameters.iter().skip_while(|it| it.name().is_some() && it.is_read());
        others.all(|it| !it.is_read())
    }
}

impl<'a> Parameter<'a> {
    fn new(at: usize, typed: &'a PatType) -> Self {
        let find = |mark| typed.attrs.iter().find(|attribute| attribute.path().is_ident(mark));
        let [skip, redact] = MARKS.map(find);
        let is_other =
            |attribute: &&Attribute| MARKS.iter().all(|mark| !attribute.path().is_ident(mark));
        let mut names = Names(Vec::new());
        if skip.is_none() {
            names.visit_pat(&typed.pat);
        }
        let mut parameter = Self {
            pattern: &typed.pat,
            ty: &typed.ty,
            skip,
            redact,
            attributes: typed.attrs.iter().filter(is_other).collect(),
            argument: Ident::new(&format!("__arg{at}"), Span::mixed_site()),
            captured: names.0,
        };
        if let Some(name) = parameter.name() {
            parameter.argument = name.clone();
            if is_unused(name) {
                // Not the user's own name: clippy would say that it is used.
                parameter.argument.set_span(Span::mixed_site().located_at(name.span()));
            }
        }
        parameter
    }

    /// Its name, if it is no more than that.
    pub(crate) fn name(&self) -> Option<&'a Ident> {
        match self.pattern {
            Pat::Ident(PatIdent { by_ref: None, ident, subpat: None, .. }) => Some(ident),
            _ => None,
        }
    }

    /// Whether capturing it reads what it binds.
    fn is_read(&self) -> bool {
        !self.captured.is_empty() && self.redact.is_none()
    }

    /// Those of its attributes that are not ours and for which this is true.
    pub(crate) fn attributes_where(&self, keep: impl Fn(&Attribute) -> bool) -> Vec<&'a Attribute> {
        self.attributes.iter().copied().filter(|attribute| keep(attribute)).collect()
    }
}

/// The names that a pattern binds, in order.
struct Names<'a>(Vec<&'a Ident>);

impl<'a> Visit<'a> for Names<'a> {
    fn visit_pat_ident(&mut self, pattern: &'a PatIdent) {
        let name = &pattern.ident;
        if !is_unused(name) && !self.0.contains(&name) {
            self.0.push(name);
        }
        visit::visit_pat_ident(self, pattern);
    }
}

/// Whether the name says that nobody uses it.
pub(crate) fn is_unused(name: &Ident) -> bool {
    name.to_string().starts_with('_')
}

impl Output {
    fn new(signature: &Signature, captured: Option<&Type>) -> Self {
        let end = signature.paren_token.span.close();
        let (ty, written) = match (captured, &signature.output) {
            (Some(ty), _) => (ty.clone(), ty.to_token_stream()),
            (None, ReturnType::Type(_, whole)) => (parse_quote!(_), whole.to_token_stream()),
            (None, ReturnType::Default) => {
                return Self { ty: parse_quote!(()), first: end, last: end };
            }
        };
        let mut spans = written.into_iter().map(|token| token.span());
        let first = spans.next().unwrap_or(end);
        Self { ty, first, last: spans.last().unwrap_or(first) }
    }
}

fn metadata(args: &Args, errors: &mut Errors) -> Vec<(String, String)> {
    let mut metadata = Vec::new();
    for (key, literal) in &args.metadata {
        match to_json(literal) {
            Some(json) => metadata.push((key.unraw().to_string(), json)),
            None => errors.push(literal, "expected a string, a number of 64 bits or a bool"),
        }
    }
    metadata
}

/// A literal as JSON text, if there is one.
fn to_json(literal: &Lit) -> Option<String> {
    match literal {
        Lit::Str(string) => Some(quoted(&string.value())),
        Lit::Bool(bool) => Some(bool.value.to_string()),
        Lit::Int(int) => {
            let digits = int.base10_digits();
            let fits = digits.parse::<i64>().is_ok() || digits.parse::<u64>().is_ok();
            fits.then(|| digits.into())
        }
        Lit::Float(float) => {
            let number: f64 = float.base10_parse().ok()?;
            number.is_finite().then(|| format!("{number:?}"))
        }
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    let mut json = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            '\0'..' ' => json += &format!("\\u{:04x}", u32::from(c)),
            c => json.push(c),
        }
    }
    json + "\""
}
