//! A `?` that is noted adds no warning, in no edition's idioms.

#![deny(warnings, rust_2018_idioms, future_incompatible, let_underscore, unused)]
#![deny(single_use_lifetimes, trivial_casts, unused_qualifications, unused_results)]

use timbal::runnable;

type Failure = Box<dyn std::error::Error>;

#[runnable]
async fn parenthesized(text: &str) -> Result<u8, Failure> {
    let n = (text.parse::<u8>())?;
    let m = ({ text.parse::<u8>() })?;
    let k = { text.parse::<u8>() }?;
    let awaited = (async { text.parse::<u8>() }).await?;
    Ok((n + m)
        .checked_sub(k)
        .ok_or("less")?
        .max(awaited))
}

#[runnable]
async fn unit(text: &str) -> Result<(), Failure> {
    check(text)?;
    (check(text))?;
    if check(text)? == () {}
    let () = check(text)?;
    Ok(check(text)?)
}

fn check(text: &str) -> Result<(), Failure> {
    if text.is_empty() { Err("empty".into()) } else { Ok(()) }
}

#[runnable]
async fn always_fails(text: &str) -> Result<(), Failure> {
    Err(format!("{text} {{}}"))?;
    return Err("unreached".into());
}

#[runnable]
async fn closures(text: &str) -> Option<u8> {
    let first = |text: &str| { text.chars().next()?.to_digit(10) };
    let both = [text, "1"].into_iter().map(|text| Some(first(text)? + 1));
    u8::try_from(both.sum::<Option<u32>>()?).ok()
}

fn main() {
    drop((parenthesized("1"), unit("1"), always_fails("1"), closures("1")));
}
