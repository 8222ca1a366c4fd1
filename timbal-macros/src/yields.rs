//! `yield_!`: where a body says it, found and written as tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::Path;

/// The macro by which a body yields.
pub(crate) const YIELD: &str = "yield_";

/// What knows in the body of a generator where its items go.
const YIELDER: &str = "timbal_yielder";

/// Stands in its place in what is wrong otherwise: then `yield_!` has no more to say.
const QUIET: &str = "timbal_quiet";

/// The name by which the body of a generator knows where its items go.
pub(crate) fn yielder() -> Ident {
    Ident::new(YIELDER, Span::mixed_site())
}

/// The first `yield_!` of a body, if there is one.
pub(crate) fn find(body: &TokenStream) -> Option<Ident> {
    let mut found = None;
    visit(body, &mut |rest| {
        if let (None, true, [TokenTree::Ident(name), ..]) = (&found, is_yield(rest), rest) {
            found = Some(name.clone());
        }
        0
    });
    found
}

/// Where a body waits, but for what is `async` in it.
pub(crate) fn awaits(body: &TokenStream) -> Vec<Ident> {
    let mut found = Vec::new();
    visit(body, &mut |rest| {
        if let [TokenTree::Punct(dot), TokenTree::Ident(word), ..] = rest
            && dot.as_char() == '.'
            && word == "await"
        {
            found.push(word.clone());
        }
        length_of_async(rest)
    });
    found
}

// Input:
//     yield_!(1); join!(async move { yield_!(2) })
// Output:
//     yield_!(timbal_yielder => 1);
//     join!(sharing(&timbal_yielder, |timbal_yielder| async move {
//         let timbal_yielder = &timbal_yielder;
//         yield_!(timbal_yielder => 2)
//     }))
//
// A name that stands in the macro's own tokens is found wherever these are carried. It names a
// reference, which closures can take along; what leaves the body must not borrow from it, so an
// `async move` block gets a yielder of its own, and a `move ||` as threads begin with.
pub(crate) fn bind(body: &Group, timbal: &Path) -> Group {
    Rewrite { mark: yielder(), timbal: Some(timbal) }.group(body)
}

/// The item, in whose body no `yield_!` has anything to say.
pub(crate) fn quiet(item: TokenStream) -> TokenStream {
    let mut tokens: Vec<_> = item.into_iter().collect();
    if let Some(TokenTree::Group(body)) = tokens.last_mut() {
        *body = Rewrite { mark: Ident::new(QUIET, Span::mixed_site()), timbal: None }.group(body);
    }
    tokens.into_iter().collect()
}

// Input:
//     timbal_yielder => 1
// Output:
//     { let yielded = timbal_yielder.put(1); yielded.await }
//
// What the value borrowed on its way is given back before it waits.
pub(crate) fn expand(tokens: TokenStream, at: Span) -> TokenStream {
    let mut tokens = tokens.into_iter();
    let (mark, _arrow) = (tokens.next(), [tokens.next(), tokens.next()]);
    let mut value: TokenStream = tokens.collect();
    if value.is_empty() {
        value = quote_spanned!(at=> ());
    }
    match mark {
        Some(TokenTree::Ident(yielder)) if yielder == YIELDER => {
            let here = Span::mixed_site().located_at(at);
            let [yielded, put] = ["yielded", "put"].map(|name| Ident::new(name, here));
            let wait = quote_spanned!(here=> #yielded.await);
            quote!({ let #yielded = #yielder.#put(#value); #wait })
        }
        Some(TokenTree::Ident(quiet)) if quiet == QUIET => quote!(::core::mem::drop(#value)),
        _ => {
            let message = "expected `yield_!` in the body of a function with `#[runnable(yields = T)]`, \
                           and not in a function inside of it";
            syn::Error::new(at, message).to_compile_error()
        }
    }
}

struct Rewrite<'a> {
    /// What is to stand in each `yield_!`.
    mark: Ident,
    /// Where timbal is found, if it is a yielder.
    timbal: Option<&'a Path>,
}

impl Rewrite<'_> {
    fn group(&self, group: &Group) -> Group {
        respan(Group::new(group.delimiter(), self.all(group.stream())), group)
    }

    fn all(&self, tokens: TokenStream) -> TokenStream {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let (mut rest, mut written) = (&tokens[..], TokenStream::new());
        while let Some(first) = rest.first() {
            let (length, tokens) = match (rest, first) {
                _ if is_yield(rest) => (3, self.marked(rest)),
                _ if self.takes(rest) => (3, self.shared(rest)),
                _ if self.length_of_taking(rest) > 0 => {
                    let length = self.length_of_taking(rest);
                    (length, self.shared_by_closure(&rest[..length]))
                }
                _ if length_of_function(rest) > 0 => {
                    let length = length_of_function(rest);
                    (length, rest[..length].iter().cloned().collect())
                }
                (_, TokenTree::Group(it)) => (1, TokenTree::from(self.group(it)).into()),
                _ => (1, first.clone().into()),
            };
            written.extend(tokens);
            rest = &rest[length..];
        }
        written
    }

    // Input:
    //     yield_!(1)
    // Output:
    //     yield_!(timbal_yielder => 1)
    fn marked(&self, rest: &[TokenTree]) -> TokenStream {
        let [name, bang, TokenTree::Group(value), ..] = rest else { return TokenStream::new() };
        let (mark, inner) = (&self.mark, self.all(value.stream()));
        let value = respan(Group::new(value.delimiter(), quote!(#mark => #inner)), value);
        quote!(#name #bang #value)
    }

    /// Whether an `async move` block begins here that takes the yielder.
    fn takes(&self, rest: &[TokenTree]) -> bool {
        let block = async_move(rest).filter(|_| self.timbal.is_some());
        block.is_some_and(|block| find(&block.stream()).is_some())
    }

    // Input:
    //     async move { yield_!(2) }
    // Output:
    //     sharing(&timbal_yielder, |timbal_yielder| async move {
    //         let timbal_yielder = &timbal_yielder;
    //         yield_!(timbal_yielder => 2)
    //     })
    fn shared(&self, rest: &[TokenTree]) -> TokenStream {
        let (Some(block), Some(timbal)) = (async_move(rest), self.timbal) else {
            return TokenStream::new();
        };
        let (words, yielder, body) = (&rest[..2], &self.mark, self.all(block.stream()));
        let body = quote!(let #yielder = &#yielder; #body);
        let block = respan(Group::new(block.delimiter(), body), block);
        quote!(#timbal::__private::sharing(&#yielder, |#yielder| #(#words)* #block))
    }

    /// How many tokens the closure without parameters has that begins here and takes the yielder.
    fn length_of_taking(&self, rest: &[TokenTree]) -> usize {
        let [TokenTree::Ident(moves), opens, closes, body @ ..] = rest else { return 0 };
        if self.timbal.is_none()
            || moves != "move"
            || ![opens, closes].iter().all(|it| is_punct(it, "|"))
        {
            return 0;
        }
        // It goes as far as an expression can.
        let length = body.iter().position(|it| is_punct(it, ",;")).unwrap_or(body.len());
        let yields = find(&body[..length].iter().cloned().collect()).is_some();
        if yields { length + 3 } else { 0 }
    }

    // Input:
    //     move || block_on(future)
    // Output:
    //     sharing(&timbal_yielder, |timbal_yielder| move || block_on(future))
    fn shared_by_closure(&self, closure: &[TokenTree]) -> TokenStream {
        let Some(timbal) = self.timbal else { return TokenStream::new() };
        let (words, yielder) = (&closure[..3], &self.mark);
        let body = self.all(closure[3..].iter().cloned().collect());
        quote!(#timbal::__private::sharing(&#yielder, |#yielder| #(#words)* #body))
    }
}

fn respan(mut group: Group, like: &Group) -> Group {
    group.set_span(like.span());
    group
}

/// Looks at all tokens, each with those that follow it, but for those of functions inside of the body:
/// these yield and wait for themselves. What it gives is how many need not be looked at.
fn visit(tokens: &TokenStream, look: &mut impl FnMut(&[TokenTree]) -> usize) {
    let tokens: Vec<_> = tokens.clone().into_iter().collect();
    let mut rest = &tokens[..];
    while let Some(first) = rest.first() {
        let mut skipped = length_of_function(rest);
        if skipped == 0 {
            skipped = look(rest);
        }
        if let (0, TokenTree::Group(group)) = (skipped, first) {
            visit(&group.stream(), look);
        }
        rest = &rest[skipped.max(1)..];
    }
}

/// How many tokens the function has that begins here; none if none does.
fn length_of_function(rest: &[TokenTree]) -> usize {
    match rest {
        [TokenTree::Ident(word), TokenTree::Ident(_), ..] if word == "fn" => {
            let end = rest.iter().position(|it| is_braces(it) || is_punct(it, ";"));
            end.map_or(rest.len(), |end| end + 1)
        }
        _ => 0,
    }
}

/// The same of a block or closure that is `async`.
fn length_of_async(rest: &[TokenTree]) -> usize {
    let start = match rest {
        [TokenTree::Ident(word), TokenTree::Ident(moves), ..]
            if word == "async" && moves == "move" =>
        {
            2
        }
        [TokenTree::Ident(word), ..] if word == "async" => 1,
        _ => return 0,
    };
    let mut end = start;
    if rest.get(start).is_some_and(|it| is_punct(it, "|")) {
        // The parameters of a closure have commas of their own.
        let parameters = rest[start + 1..].iter().position(|it| is_punct(it, "|"));
        let body = start + 1 + parameters.map_or(0, |length| length + 1);
        end = rest[body..]
            .iter()
            .position(|it| is_punct(it, ",;"))
            .map_or(rest.len(), |it| body + it);
    } else if rest.get(start).is_some_and(is_braces) {
        end += 1;
    }
    end
}

/// The block that begins here, if it is `async move`.
fn async_move(rest: &[TokenTree]) -> Option<&Group> {
    match rest {
        [TokenTree::Ident(asyncness), TokenTree::Ident(moves), TokenTree::Group(block), ..]
            if asyncness == "async" && moves == "move" && is_braces(&rest[2]) =>
        {
            Some(block)
        }
        _ => None,
    }
}

fn is_yield(rest: &[TokenTree]) -> bool {
    let [TokenTree::Ident(name), bang, TokenTree::Group(_), ..] = rest else { return false };
    name == YIELD && is_punct(bang, "!")
}

fn is_punct(token: &TokenTree, any_of: &str) -> bool {
    matches!(token, TokenTree::Punct(punct) if any_of.contains(punct.as_char()))
}

fn is_braces(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}
