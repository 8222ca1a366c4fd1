//! What is wrong with a `?` or a returned `Err` is said as in any other function.

use timbal::runnable;

#[runnable]
async fn operand(n: u8) -> Result<u8, String> {
    Ok(n? + 1)
}

#[runnable]
async fn conversion(text: &str) -> Result<u8, std::fmt::Error> {
    let n = text.parse::<u8>()?;
    Ok(n)
}

#[runnable]
async fn unknown(text: &str) -> Result<u8, std::num::ParseIntError> {
    let n = text.parse()?;
    Ok(1)
}

#[runnable]
async fn inside(text: &str) -> Result<u8, std::num::ParseIntError> {
    Ok(text.parsed()? + missing(text.len() + "1")?)
}

#[runnable]
async fn nothing_to_return(text: &str) -> u8 {
    text.parse::<u8>()?
}

#[runnable]
async fn another_error(n: u8) -> Result<u8, String> {
    if n > 1 {
        return Err(n);
    }
    Err("text")
}

#[runnable]
async fn moved(text: Option<String>) -> Option<String> {
    let first = text?;
    let second = text?;
    Some(first + &second)
}

fn main() {}
