//! A web service whose every request is a run: `cargo run --example service -- [ADDRESS]`, then
//! `curl -N 'http://127.0.0.1:3000/words?text=so+what'`.
//!
//! A request that says its `traceparent` is a call of that one's run. What happens is streamed to the
//! client as it happens, as server-sent events.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures::{Stream, StreamExt};
use serde::Deserialize;
use timbal::{Traceparent, runnable};
use tokio::net::TcpListener;
use tokio::time::sleep;

#[derive(Deserialize)]
struct Question {
    text: String,
}

/// Looks at a text word by word.
#[runnable]
async fn words(text: String) -> usize {
    let mut letters = 0;
    for word in text.split_whitespace() {
        letters += look_at(word).await;
        timbal::emit(word).await;
    }
    letters
}

/// Takes its time with a word, so that there is something to see.
#[runnable]
async fn look_at(word: &str) -> usize {
    sleep(Duration::from_millis(50)).await;
    timbal::usage("words", 1);
    word.chars().count()
}

/// Answers with the events of a run. When the client goes, the run is cancelled.
async fn answer(
    headers: HeaderMap,
    Query(question): Query<Question>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let header = headers.get("traceparent").and_then(|header| header.to_str().ok());
    let call = words(question.text);
    let call = match header.map(str::parse::<Traceparent>) {
        Some(Ok(parent)) => call.continues(parent),
        Some(Err(_)) | None => call, // a bad header is as good as none
    };
    let events = call.events().map(|event| {
        Ok(Event::default()
            .json_data(event)
            .unwrap_or_else(|error| Event::default().event("error").data(error.to_string())))
    });
    Sse::new(events)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let _guard = timbal::init()?;
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/words", get(answer))).await?;
    Ok(())
}
