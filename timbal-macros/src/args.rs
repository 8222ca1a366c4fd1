//! `Args`: what stands in the parentheses of `#[runnable(…)]`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{
    Error, ExprPath, Lit, LitStr, Path, Result, Token, Type, parenthesized, parse_quote, token,
};

use crate::errors::Errors;

/// The options, as they are written.
const OPTIONS: [&str; 13] = [
    "name",
    "skip_input",
    "skip_output",
    "capture_self",
    "opaque",
    "boxed",
    "blocking",
    "yields",
    "try_yields",
    "fold",
    "usage",
    "metadata",
    "crate",
];

/// How alike two words are, of 1, when one of them is taken for a slip of the other.
const ALIKE: f64 = 0.8;

/// The options that were given, each at most once.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    pub(crate) skip_input: bool,
    pub(crate) skip_output: bool,
    pub(crate) capture_self: Option<Ident>,
    pub(crate) opaque: Option<Ident>,
    pub(crate) boxed: Option<Boxed>,
    pub(crate) blocking: Option<Ident>,
    pub(crate) yields: Option<Yields>,
    pub(crate) fold: Option<Fold>,
    pub(crate) usage: Option<ExprPath>,
    pub(crate) metadata: Vec<(Ident, Lit)>,
    pub(crate) timbal: Option<Path>,
}

/// The call has a type that can be named.
#[derive(Clone)]
pub(crate) struct Boxed {
    /// The option's name.
    pub(crate) key: Ident,
    /// Whether it need not be `Send`.
    pub(crate) is_local: bool,
}

/// The body yields.
pub(crate) struct Yields {
    /// The option's name.
    pub(crate) key: Ident,
    pub(crate) ty: Type,
    /// Whether it may fail.
    pub(crate) is_try: bool,
}

/// What the items of a call come to.
pub(crate) struct Fold {
    /// The option's name.
    pub(crate) key: Ident,
    pub(crate) by: FoldBy,
}

pub(crate) enum FoldBy {
    Concat,
    List,
    None,
    Path(ExprPath),
}

impl Args {
    /// Takes what can be read: what cannot is an error, and does not hide what stands after it.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut seen = Vec::new();
        let options = |input: ParseStream<'_>| {
            separated(input, errors, |input, errors| args.option(input, &mut seen, errors));
            Ok(())
        };
        if let Err(error) = options.parse2(tokens) {
            errors.add(error);
        }
        args
    }

    fn option(
        &mut self,
        input: ParseStream<'_>,
        seen: &mut Vec<Ident>,
        errors: &mut Errors,
    ) -> Result<()> {
        let Ok(key) = input.call(Ident::parse_any) else {
            return Err(input.error(expected_option()));
        };
        match key.to_string().as_str() {
            "name" => self.name = Some(value(&key, input, "name = \"…\"")?),
            "skip_input" => self.skip_input = flag(&key, input)?,
            "skip_output" => self.skip_output = flag(&key, input)?,
            "capture_self" => self.capture_self = flag(&key, input)?.then(|| key.clone()),
            "opaque" => self.opaque = flag(&key, input)?.then(|| key.clone()),
            "boxed" => self.boxed = Some(boxed(&key, input)?),
            "blocking" => self.blocking = flag(&key, input)?.then(|| key.clone()),
            "yields" | "try_yields" => self.yields(&key, input)?,
            "fold" => self.fold = Some(fold(&key, input)?),
            "usage" => self.usage = Some(value(&key, input, "usage = path")?),
            "metadata" => self.metadata = metadata(&key, input, errors)?,
            "crate" => self.timbal = Some(value(&key, input, "crate = path")?),
            _ => return Err(unknown(&key)),
        }
        if seen.contains(&key) {
            return Err(Error::new(key.span(), format!("expected `{key}` only once")));
        }
        seen.push(key);
        Ok(())
    }

    fn yields(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        if self.yields.as_ref().is_some_and(|other| other.key != *key) {
            return Err(Error::new(key.span(), "expected `yields` or `try_yields`, not both"));
        }
        let ty = value(key, input, &format!("{key} = T"));
        let is_try = key == "try_yields";
        // It yields also if it does not say what.
        let yielded = ty.as_ref().cloned().unwrap_or_else(|_| parse_quote!(_));
        self.yields = Some(Yields { key: key.clone(), ty: yielded, is_try });
        ty.map(drop)
    }
}

/// What stands after `key =`.
fn value<T: Parse>(key: &Ident, input: ParseStream<'_>, form: &str) -> Result<T> {
    let equals: Option<Token![=]> = input.parse()?;
    let at = if equals.is_none() || is_at_end(input) { key.span() } else { input.span() };
    let value = if equals.is_some() { input.parse().ok() } else { None };
    value.filter(|_| is_at_end(input)).ok_or_else(|| Error::new(at, format!("expected `{form}`")))
}

fn flag(key: &Ident, input: ParseStream<'_>) -> Result<bool> {
    if input.peek(Token![=]) || input.peek(token::Paren) {
        return Err(input.error(format!("expected `{key}` without a value")));
    }
    Ok(true)
}

/// The `(local)` of `boxed(local)`, if it is there.
fn boxed(key: &Ident, input: ParseStream<'_>) -> Result<Boxed> {
    let form = || Error::new(key.span(), "expected `boxed` or `boxed(local)`");
    let is_local = input.peek(token::Paren);
    if is_local {
        let word;
        parenthesized!(word in input);
        let local: Ident = word.parse().map_err(|_| form())?;
        if local != "local" || !word.is_empty() {
            return Err(form());
        }
    }
    if is_at_end(input) { Ok(Boxed { key: key.clone(), is_local }) } else { Err(form()) }
}

/// What stands after `fold =`.
fn fold(key: &Ident, input: ParseStream<'_>) -> Result<Fold> {
    const FORM: &str = "fold = \"concat\"`, `\"list\"`, `\"none\"` or `fold = path";
    let is_word = input.peek2(LitStr);
    let by = if is_word {
        let word: LitStr = value(key, input, FORM)?;
        match word.value().as_str() {
            "concat" => FoldBy::Concat,
            "list" => FoldBy::List,
            "none" => FoldBy::None,
            _ => return Err(Error::new(word.span(), format!("expected `{FORM}`"))),
        }
    } else {
        FoldBy::Path(value(key, input, FORM)?)
    };
    Ok(Fold { key: key.clone(), by })
}

/// The `(key = literal, …)` of `metadata(key = literal, …)`.
fn metadata(
    option: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> Result<Vec<(Ident, Lit)>> {
    const FORM: &str = "metadata(key = literal)";
    if !input.peek(token::Paren) {
        return Err(Error::new(option.span(), format!("expected `{FORM}`")));
    }
    let pairs;
    parenthesized!(pairs in input);
    let mut metadata = Vec::new();
    separated(&pairs, errors, |input, _| {
        let key = input.call(Ident::parse_any);
        let key = key.map_err(|error| Error::new(error.span(), format!("expected `{FORM}`")))?;
        let literal = value(&key, input, &format!("{key} = literal"))?;
        metadata.push((key, literal));
        Ok(())
    });
    Ok(metadata)
}

/// Reads one after another, up to the comma and over it.
fn separated(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut read: impl FnMut(ParseStream<'_>, &mut Errors) -> Result<()>,
) {
    while !input.is_empty() {
        match read(input, errors) {
            Ok(()) if !is_at_end(input) => errors.add(input.error("expected `,`")),
            Ok(()) => {}
            Err(error) => errors.add(error),
        }
        while !is_at_end(input) && input.parse::<TokenTree>().is_ok() {}
        let _: Result<Option<Token![,]>> = input.parse();
    }
}

fn is_at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn unknown(key: &Ident) -> Error {
    let word = key.unraw().to_string();
    let alike = OPTIONS.map(|option| (strsim::jaro_winkler(option, &word), option));
    let closest = alike.into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b));
    let message = match closest {
        Some((likeness, option)) if likeness >= ALIKE => {
            format!("expected `{option}`, there is no `{word}`")
        }
        _ => expected_option(),
    };
    Error::new(key.span(), message)
}

/// `` expected `name`, `skip_input` or `crate` ``.
fn expected_option() -> String {
    let [first @ .., last] = OPTIONS.map(|option| format!("`{option}`"));
    format!("expected {} or {last}", first.join(", "))
}
