//! Borrows go in and come out as those of an `async fn` do.

#![deny(warnings)]

use std::cell::Cell;
use std::fmt::Debug;

use serde::Serialize;
use timbal::runnable;

struct Holder<'a>(&'a str);

#[derive(Serialize)]
struct View<'a>(&'a str);

#[runnable]
async fn elided(text: &str) -> Option<&str> {
    text.get(1..)
}

#[runnable(skip_input)]
async fn hidden(holder: &Holder<'_>, bytes: &mut Vec<u8>) -> usize {
    bytes.push(1);
    holder.0.len()
}

#[runnable(skip_input)]
async fn named<'a, 'b: 'a>(holder: &'a Holder<'b>) -> (View<'a>, &'b str) {
    (View(holder.0), holder.0)
}

#[runnable(skip_input, skip_output)]
async fn invariant<'a>(cell: &mut Cell<&'a str>, text: &'a str) -> Result<Cell<&'a str>, ()> {
    cell.set(text);
    Ok(Cell::new(text))
}

#[runnable]
async fn higher_ranked(
    #[skip] f: impl for<'x> Fn(&'x str) -> &'x str,
    #[skip] g: &dyn Fn(&str) -> &str,
    text: &str,
) -> usize {
    f(text).len() + g(text).len()
}

#[runnable(skip_output)]
async fn boxed<'a>(text: &'a str) -> Box<dyn Fn(&str) -> usize + 'a> {
    Box::new(move |more| text.len() + more.len())
}

#[runnable(skip_input, skip_output)]
async fn dynamic(value: &(dyn Debug + Sync)) -> &dyn Debug {
    value
}

#[runnable]
async fn opaque<'a>(text: &'a str) -> Result<impl Serialize + Debug + 'a, impl std::error::Error> {
    if text.is_empty() { Err(std::fmt::Error) } else { Ok(text) }
}

#[runnable(skip_input)]
async fn bounded<'a, T>(values: &'a [T]) -> &'a T
where
    T: Serialize + 'a,
    [T]: Debug,
{
    &values[0]
}

fn main() {
    let (text, mut bytes) = (String::from("text"), vec![]);
    let holder = Holder(&text);
    drop((elided(&text), hidden(&holder, &mut bytes), named(&holder), boxed(&text)));
    drop((higher_ranked(|text| text, &|text| text, &text), dynamic(&bytes), opaque(&text)));
    drop((invariant(&mut Cell::new(""), &text), bounded(&bytes)));
}
