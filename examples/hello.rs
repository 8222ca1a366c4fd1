//! A call as a value, and the same call as a stream of events: `cargo run --example hello`.

use timbal::{Event, runnable};

#[runnable]
async fn greet(name: String) -> String {
    timbal::emit("looking for a title").await;
    let title = title_of(&name).await;
    format!("Hello, {title} {name}!")
}

#[runnable]
async fn title_of(name: &str) -> &'static str {
    if name == "Alice" { "Dr" } else { "dear" }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let text: String = greet("Bob".into()).await; // a call gives what the function returns
    println!("{text}");

    let mut events = greet("Alice".into()).events(); // or all that happens on the way
    while let Some(event) = events.next().await {
        match event {
            Event::Start(start) => println!("{} started", start.path),
            Event::Chunk(chunk) => println!("{} says {}", chunk.path, chunk.chunk),
            Event::Output(done) => println!("{} returned {}", done.path, done.output),
            _ => {}
        }
    }
}
