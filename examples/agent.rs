//! A model chooses among functions until it knows the answer: `cargo run --example agent -- [DIR]`.
//!
//! `OPENAI_BASE_URL` (as `https://api.openai.com/v1`), `OPENAI_API_KEY` and `OPENAI_MODEL` name the
//! model: any endpoint that speaks OpenAI's chat completions will do. Without the first, a small script
//! plays the model.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use timbal::{Event, runnable};
use tokio::fs;

/// How often the model may choose.
const MAX_TURNS: u32 = 8;

const INSTRUCTIONS: &str = r#"Find out which file of a directory has the most lines. Answer with one JSON
object and nothing else, which is one of these:
{"action":"list_files"}
{"action":"count_lines","file":"<a name of the list>"}
{"action":"answer","text":"<what you found out>"}"#;

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the model does not answer")]
    Model(#[from] ureq::Error),
    #[error("the model says what nobody asked for: {said}")]
    Choice { said: String, source: serde_json::Error },
    #[error("the model has not made up its mind in {MAX_TURNS} turns")]
    Undecided,
}

/// What the model wants next.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Choice {
    ListFiles,
    CountLines { file: String },
    Answer { text: String },
}

/// What a model said, and what it cost.
#[derive(Debug, Serialize)]
struct Reply {
    text: String,
    prompt_tokens: u64,
    completion_tokens: u64,
}

fn tokens(reply: &Reply) -> [(&'static str, u64); 2] {
    [("prompt_tokens", reply.prompt_tokens), ("completion_tokens", reply.completion_tokens)]
}

/// One line of what was said so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Message {
    role: String,
    content: String,
}

impl Message {
    fn new(role: &str, content: impl Into<String>) -> Self {
        Self { role: role.to_owned(), content: content.into() }
    }
}

/// Lets the model choose, does what it chose, and tells it what came of it.
#[runnable]
async fn agent(dir: &Path) -> Result<String, Error> {
    let mut messages = vec![Message::new("system", INSTRUCTIONS)];
    for _ in 0..MAX_TURNS {
        let reply = ask(messages.clone()).await?;
        let choice = serde_json::from_str(&reply.text);
        let choice = choice.map_err(|source| Error::Choice { said: reply.text.clone(), source })?;
        messages.push(Message::new("assistant", reply.text));
        let result = match choice {
            Choice::ListFiles => json!(list_files(dir).await?),
            Choice::CountLines { file } => json!({ "lines": count_lines(&dir.join(file)).await? }),
            Choice::Answer { text } => return Ok(text),
        };
        messages.push(Message::new("user", result.to_string()));
    }
    Err(Error::Undecided)
}

#[runnable]
async fn list_files(dir: &Path) -> Result<Vec<String>, Error> {
    let failed = |source| Error::Read { path: dir.to_owned(), source };
    let (mut entries, mut files) = (fs::read_dir(dir).await.map_err(failed)?, Vec::new());
    while let Some(entry) = entries.next_entry().await.map_err(failed)? {
        if entry.file_type().await.map_err(failed)?.is_file() {
            files.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    files.sort();
    Ok(files)
}

#[runnable]
async fn count_lines(file: &Path) -> Result<usize, Error> {
    let bytes = fs::read(file).await;
    let bytes = bytes.map_err(|source| Error::Read { path: file.to_owned(), source })?;
    Ok(bytes.split(|byte| *byte == b'\n').count() - 1)
}

/// Asks the model. Its client blocks, so it has a thread of its own.
#[runnable(blocking, usage = tokens)]
fn ask(messages: Vec<Message>) -> Result<Reply, Error> {
    match std::env::var("OPENAI_BASE_URL") {
        Ok(url) => complete(&url, &messages),
        Err(_) => Ok(script(&messages)),
    }
}

fn complete(url: &str, messages: &[Message]) -> Result<Reply, Error> {
    let model = std::env::var("OPENAI_MODEL").unwrap_or_else(|_| "gpt-4o-mini".to_owned());
    timbal::metadata("model", &model);
    let key = std::env::var("OPENAI_API_KEY").unwrap_or_default();
    let request = ureq::post(format!("{}/chat/completions", url.trim_end_matches('/')));
    let request = request.header("Authorization", format!("Bearer {key}"));
    let said: Value = request
        .send_json(json!({ "model": model, "messages": messages }))?
        .body_mut()
        .read_json()?;
    let count = |key: &str| said["usage"][key].as_u64().unwrap_or(0);
    let text = said["choices"][0]["message"]["content"].as_str().unwrap_or_default();
    Ok(Reply {
        text: text.trim().to_owned(),
        prompt_tokens: count("prompt_tokens"),
        completion_tokens: count("completion_tokens"),
    })
}

/// Plays the model: it lists the files, counts the first few, and says which has the most lines.
fn script(messages: &[Message]) -> Reply {
    let said: Vec<Value> =
        messages.iter().filter_map(|message| serde_json::from_str(&message.content).ok()).collect();
    let files: Vec<String> =
        said.iter().find_map(|said| Vec::deserialize(said).ok()).unwrap_or_default();
    let lines: Vec<u64> = said.iter().filter_map(|said| said["lines"].as_u64()).collect();
    let choice = match files.get(lines.len()) {
        _ if said.is_empty() => Choice::ListFiles,
        Some(file) if lines.len() < MAX_TURNS as usize - 2 => {
            Choice::CountLines { file: file.clone() }
        }
        _ => {
            let most = lines.iter().zip(&files).max();
            let text = most.map(|(lines, file)| format!("{file} has the most lines: {lines}"));
            Choice::Answer { text: text.unwrap_or_else(|| "there are no files".to_owned()) }
        }
    };
    let text = serde_json::to_string(&choice).expect("a choice is text");
    let words = |text: &str| text.split_whitespace().count() as u64;
    let prompt_tokens = messages.iter().map(|message| words(&message.content)).sum();
    Reply { prompt_tokens, completion_tokens: words(&text), text }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let dir = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let mut events = agent(&dir).events();
    while let Some(event) = events.next().await {
        match event {
            Event::Output(done) if done.path == "agent.ask" && done.error.is_none() => {
                println!(
                    "the model: {}",
                    done.output.to_value()["text"].as_str().unwrap_or("nothing")
                );
            }
            Event::Output(done) if !["agent", "agent.ask"].contains(&&*done.path) => {
                println!("  {} {} -> {}", done.path, done.input, done.output);
            }
            _ => {}
        }
    }
    let done = events.collect().await;
    let used: Vec<_> = done.usage.iter().map(|(key, n)| format!("{n} {key}")).collect();
    println!("\nused: {}", used.join(", "));
    match &done.error {
        Some(error) => {
            eprintln!("{}", error.traceback());
            ExitCode::FAILURE
        }
        None => {
            println!("{}", done.output.get::<String>().unwrap_or_default());
            ExitCode::SUCCESS
        }
    }
}
