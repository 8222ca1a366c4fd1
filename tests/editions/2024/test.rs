//! Edition 2024, and modules in which nothing is called what it is called elsewhere.

#![deny(warnings, rust_2018_idioms, rust_2024_compatibility)]

use timbal as observed;

#[path = "../shapes.rs"]
mod shapes;

mod shadowed;

#[test]
fn every_shape_is_recorded() {
    assert_eq!(shapes::transcript(), shapes::EXPECTED);
}

#[test]
fn names_of_the_user_are_not_ours() {
    let outputs = futures::executor::block_on(shadowed::outputs());
    assert_eq!(
        outputs,
        [
            r#"{"name":"a","n":1} -> 1"#,
            r#"{"n":2} -> 3"#,
            r#"{"upto":2} -> [0,1]"#,
            r#"{"text":"ab"} -> "ab""#
        ]
    );
}

/// What the end of a body holds is let go before what it borrows from, since edition 2024.
#[timbal::runnable]
async fn tail(n: u8) -> u8 {
    let cell = std::cell::RefCell::new(n);
    *cell.borrow()
}

#[test]
fn tails_are_those_of_the_edition() {
    assert_eq!(futures::executor::block_on(tail(1)), 1);
}
