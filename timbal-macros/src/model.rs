//! `Runnable`: what was asked for, in our words.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    Attribute, FnArg, Lit, LitStr, Pat, PatIdent, PatType, Path, ReturnType, Signature, Type,
    TypeImplTrait, TypeParamBound, parse_quote,
};

use crate::args::{Args, Yields};
use crate::errors::Errors;
use crate::item::Item;
use crate::lifetimes;
use crate::shape::{Form, Returned, Shape, first_argument, is_box, plain_type};
use crate::tries;

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
    /// Whether what it hides borrows less than its parameters do.
    pub(crate) lends_less: bool,
    pub(crate) output: Output,
    pub(crate) generator: Option<Generator>,
    /// The body with notes of what fails in it, if anything can.
    pub(crate) noted: Option<TokenStream>,
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

/// What the body yields.
pub(crate) struct Generator {
    pub(crate) item: Output,
    /// Whether it may fail.
    pub(crate) is_try: bool,
    /// Whether the usage is taken from what it returns, as that is its output, and not from its items.
    pub(crate) uses_returned: bool,
}

/// What a call gives, or each of its items: `()` if the function does not say.
pub(crate) struct Output {
    pub(crate) ty: Type,
    /// Whether it is not written as it is: it says `impl`, or nothing.
    pub(crate) is_hidden: bool,
    /// Where the type begins: at the end of the parameters if it is not written.
    pub(crate) first: Span,
    /// Where it ends.
    pub(crate) last: Span,
    /// Where the return type begins and ends, of which this type may be a part.
    pub(crate) returned: [Span; 2],
}

impl<'a> Runnable<'a> {
    pub(crate) fn new(args: &'a Args, item: &'a Item, errors: &mut Errors) -> Self {
        let signature = &item.signature;
        let typed = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        let name = args.name.as_ref().map(LitStr::value);
        let mut returned = Returned::new(signature);
        let generator = args.yields.as_ref().map(|yields| Generator::new(yields, signature));
        if generator.is_some() {
            returned = Returned::by_generator(signature);
        }
        let names_lifetimes = written(signature).any(|bound| !is_trait(bound));
        let timbal = args.timbal.clone().unwrap_or_else(|| parse_quote!(::timbal));
        let is_maker = returned.shape == Shape::Future && returned.form != Form::Async;
        Self {
            args,
            item,
            noted: tries::note(&item.body, &timbal, is_maker),
            timbal,
            name: name.unwrap_or_else(|| signature.ident.unraw().to_string()),
            metadata: metadata(args, errors),
            parameters: typed.enumerate().map(|(at, typed)| Parameter::new(at, typed)).collect(),
            shape: returned.shape,
            form: returned.form,
            lends_less: returned.form == Form::Opaque
                && names_lifetimes
                && lifetimes::are_left_behind(signature),
            output: Output::new(signature, returned.captured),
            generator,
        }
    }

    /// Whether the body is one that the function boxes, as its type says.
    pub(crate) fn is_boxed(&self) -> bool {
        self.form == Form::Named && self.shape != Shape::Value
    }

    /// The same without a `Pin` around the box.
    pub(crate) fn is_in_box(&self) -> bool {
        matches!(&self.item.signature.output, ReturnType::Type(_, ty) if self.is_boxed() && is_box(ty))
    }

    /// Whether the function makes the body where it is called, as its type says: of what is boxed, and
    /// of what does not borrow all that the parameters do.
    pub(crate) fn is_made_first(&self) -> bool {
        self.is_boxed() || self.lends_less
    }

    /// What the return type says in `impl …`, but for lifetimes: a handle captures all there are.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = &TypeParamBound> {
        written(&self.item.signature).filter(|bound| is_trait(bound))
    }

    /// Whether the return type can say what it borrows, as no other body is in the way.
    pub(crate) fn keeps_lifetimes(&self) -> bool {
        self.lends_less || self.form == Form::Async
    }

    /// Whether the return type names lifetimes that the handle does not.
    pub(crate) fn drops_lifetimes(&self) -> bool {
        !self.keeps_lifetimes() && written(&self.item.signature).any(|bound| !is_trait(bound))
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

/// What the return type says in `impl …`.
fn written(signature: &Signature) -> impl Iterator<Item = &TypeParamBound> {
    let written = match &signature.output {
        ReturnType::Type(_, ty) => match plain_type(ty) {
            Type::ImplTrait(written) => Some(&written.bounds),
            _ => None,
        },
        ReturnType::Default => None,
    };
    written.into_iter().flatten()
}

fn is_trait(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Trait(_))
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

impl Generator {
    fn new(yields: &Yields, signature: &Signature) -> Self {
        let Yields { key, ty, is_try } = yields;
        let [first, last] = ends(ty, key.span());
        let item =
            Output { ty: ty.clone(), is_hidden: hides(ty), first, last, returned: [first, last] };
        let returned = match &signature.output {
            ReturnType::Type(_, ty) if *is_try => first_argument(ty).unwrap_or(ty),
            ReturnType::Type(_, ty) => ty,
            ReturnType::Default => return Self { item, is_try: *is_try, uses_returned: false },
        };
        let is_unit = matches!(returned, Type::Tuple(tuple) if tuple.elems.is_empty());
        Self { item, is_try: *is_try, uses_returned: !is_unit }
    }
}

impl Output {
    fn new(signature: &Signature, captured: Option<&Type>) -> Self {
        let end = signature.paren_token.span.close();
        let ReturnType::Type(_, whole) = &signature.output else {
            let ty = parse_quote!(());
            return Self { ty, is_hidden: false, first: end, last: end, returned: [end; 2] };
        };
        let returned = ends(whole, end);
        match captured {
            Some(ty) => {
                let [first, last] = ends(ty, end);
                Self { ty: ty.clone(), is_hidden: hides(ty), first, last, returned }
            }
            None => {
                let [first, last] = returned;
                Self { ty: parse_quote!(_), is_hidden: true, first, last, returned }
            }
        }
    }
}

/// Whether a type says `impl` somewhere.
fn hides(ty: &Type) -> bool {
    struct Hidden(bool);
    impl<'a> Visit<'a> for Hidden {
        fn visit_type_impl_trait(&mut self, _: &'a TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut hidden = Hidden(false);
    hidden.visit_type(ty);
    hidden.0
}

/// Where a type begins and ends.
fn ends(ty: &Type, otherwise: Span) -> [Span; 2] {
    let mut spans = ty.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or(otherwise);
    [first, spans.last().unwrap_or(first)]
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
