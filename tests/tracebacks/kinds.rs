//! Programs that fail with each kind of error.

use std::error::Error;
use std::fmt;

use anyhow::Context;
use timbal::runnable;

#[runnable]
pub(crate) async fn std_error(text: &str) -> Result<u8, std::num::ParseIntError> {
    let number = text.parse::<u8>()?;
    Ok(number)
}

#[runnable]
pub(crate) async fn boxed_error(text: &str) -> Result<u8, Box<dyn Error>> {
    Ok(text.parse::<u8>()?)
}

#[runnable]
pub(crate) async fn boxed_send_error(text: &str) -> Result<u8, Box<dyn Error + Send + Sync>> {
    if text.is_empty() {
        return Err("there is no text".into());
    }
    Ok(text.parse()?)
}

#[runnable]
pub(crate) async fn anyhow_error(path: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    Ok(text)
}

#[runnable]
pub(crate) async fn eyre_error(text: &str) -> eyre::Result<u8> {
    use eyre::WrapErr;
    text.parse::<u8>().wrap_err("not a number of this size").wrap_err("cannot count")
}

#[runnable]
pub(crate) async fn string_error(n: u8) -> Result<u8, String> {
    n.checked_add(250).ok_or_else(|| format!("{n} is too many"))?;
    Ok(n)
}

#[runnable]
pub(crate) async fn str_error(n: u8) -> Result<u8, &'static str> {
    if n > 3 { Err("too many") } else { Ok(n) }
}

pub(crate) struct OnlyShown(u8);

impl fmt::Display for OnlyShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shown as {}", self.0)
    }
}

#[runnable]
pub(crate) async fn display_error(n: u8) -> Result<u8, OnlyShown> {
    match n {
        0 => Ok(n),
        1..=3 => Err(OnlyShown(n)),
        _ => Err(OnlyShown(4)),
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "it is shown by `Debug`")]
pub(crate) struct OnlyDebugged {
    n: u8,
}

#[runnable]
pub(crate) async fn debug_error(n: u8) -> Result<u8, OnlyDebugged> {
    if n > 0 {
        return Err(OnlyDebugged { n });
    }
    Ok(n)
}

/// An error that wraps others.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error("cannot load the configuration")]
    Load(#[from] std::io::Error),
    #[error(transparent)]
    Number(#[from] std::num::ParseIntError),
}

#[runnable]
pub(crate) async fn wrapping_error(path: &str) -> Result<u8, AppError> {
    let text = std::fs::read_to_string(path)?;
    Ok(text.trim().parse()?)
}

#[runnable]
pub(crate) async fn generic_error<T: std::str::FromStr>(text: &str) -> Result<usize, T::Err>
where
    T::Err: Error,
{
    text.parse::<T>()?;
    Ok(text.len())
}

/// An alias, which is seen as what it is.
pub(crate) type Res<T> = Result<T, AppError>;

#[runnable]
pub(crate) async fn aliased_error(text: &str) -> Res<u8> {
    let number = text.parse()?;
    Ok(number)
}

#[runnable]
pub(crate) fn sync_error(text: &str) -> Result<char, std::char::ParseCharError> {
    text.parse::<char>()
}
