//! Measures timbal side by side with other libraries.
fn main() {}
