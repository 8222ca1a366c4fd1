//! What is wrong with a body is underlined there, as without the attribute.

use timbal::runnable;

#[runnable]
async fn tail() -> String {
    "text"
}

#[runnable]
async fn early(n: u8) -> Result<String, std::fmt::Error> {
    if n == 0 {
        return n;
    }
    Ok(String::new())
}

#[runnable]
async fn unit() {
    5
}

#[runnable]
async fn no_tail() -> String {
    String::new();
}

#[runnable]
async fn question_mark(text: &str) -> u8 {
    text.parse::<u8>()?
}

#[runnable]
async fn immutable(text: String) -> String {
    text.push('!');
    text
}

fn main() {}
