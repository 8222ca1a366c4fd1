//! Edition 2021, and timbal by way of another crate.

#![deny(warnings, rust_2018_idioms, rust_2021_compatibility)]

use timbal_facade::inner::timbal as observed;

#[path = "../shapes.rs"]
mod shapes;

#[test]
fn every_shape_is_recorded() {
    assert_eq!(shapes::transcript(), shapes::EXPECTED);
}

/// Only what is named is captured of a pair, since edition 2021, and the rest can go.
#[timbal_facade::inner::timbal::runnable(crate = timbal_facade::inner::timbal)]
fn closures(pair: (String, String)) -> usize {
    let first = || pair.0.len();
    drop(pair.1);
    first()
}

#[test]
fn closures_are_those_of_the_edition() {
    assert_eq!(closures(("a".to_owned(), "bc".to_owned())), 1);
}

macro_rules! function {
    ($name:ident, $body:expr) => {
        #[observed::runnable(crate = observed)]
        async fn $name() -> u8 {
            $body
        }
    };
}

function!(made, 1 + 2);

#[test]
fn macros_of_the_edition_make_functions() {
    assert_eq!(futures::executor::block_on(made()), 3);
}
