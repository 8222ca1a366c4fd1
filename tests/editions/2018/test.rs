//! Edition 2018, and a dependency of another name.

#![deny(warnings, rust_2018_idioms)]

use watched as observed;

#[path = "../shapes.rs"]
mod shapes;

#[test]
fn every_shape_is_recorded() {
    assert_eq!(shapes::transcript(), shapes::EXPECTED);
}

/// A word of later editions is a name here.
#[watched::runnable(crate = watched)]
async fn r#try(gen: u8) -> u8 {
    gen + 1
}

#[test]
fn names_are_those_of_the_edition() {
    let done = futures::executor::block_on(r#try(1).collect());
    assert_eq!(format!("{} {} -> {}", done.path, done.input, done.output), "try {\"gen\":1} -> 2");
}

/// A closure holds all of what it names a part of, before edition 2021.
#[watched::runnable(crate = watched)]
fn closures(pair: (String, String)) -> usize {
    let first = || pair.0.len();
    first() + pair.1.len()
}

#[test]
fn closures_are_those_of_the_edition() {
    assert_eq!(closures(("a".to_string(), "bc".to_string())), 3);
}
