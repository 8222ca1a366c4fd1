//! Counts a file while a bar shows how far it is: `cargo run --example stream -- FILE`.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use timbal::{Event, runnable, yield_};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, BufReader};

/// How many characters the bar is wide.
const WIDTH: u64 = 40;

/// What is known of a file in the end.
#[derive(Serialize, Deserialize)]
struct Count {
    lines: u64,
    words: u64,
    longest_line: usize,
}

/// Reads a file line by line, and yields how much of it is read, in percent.
#[runnable(try_yields = u64)]
async fn count(path: String) -> io::Result<Count> {
    let file = File::open(&path).await?;
    let (size, mut read, mut percent) = (file.metadata().await?.len().max(1), 0, 0);
    let (mut count, mut line) = (Count { lines: 0, words: 0, longest_line: 0 }, Vec::new());
    let mut file = BufReader::new(file);
    loop {
        line.clear();
        let bytes = file.read_until(b'\n', &mut line).await?;
        if bytes == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        count.lines += 1;
        count.words += text.split_whitespace().count() as u64;
        count.longest_line = count.longest_line.max(text.trim_end().chars().count());
        read += bytes as u64;
        if read * 100 / size > percent {
            percent = read * 100 / size;
            yield_!(percent);
        }
    }
    Ok(count)
}

/// Draws the bar anew over the last one.
fn draw(percent: u64) -> io::Result<()> {
    let full = percent * WIDTH / 100;
    let bar: String = (0..WIDTH).map(|place| if place < full { '#' } else { '.' }).collect();
    print!("\r[{bar}] {percent:>3} %");
    io::stdout().flush()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: stream FILE");
        return Ok(ExitCode::from(2));
    };
    let mut events = count(path).events();
    while let Some(event) = events.next().await {
        match event {
            Event::Start(_) => draw(0)?,
            // What is no percentage is the error, which is in the Output too.
            Event::Chunk(chunk) => chunk.chunk.get().map_or(Ok(()), draw)?,
            Event::Output(done) => match &done.error {
                Some(error) => println!("\n{}", error.traceback()),
                None => {
                    let Count { lines, words, longest_line } = done.output.get()?;
                    println!(
                        "\n{lines} lines, {words} words; the longest line has {longest_line} characters"
                    );
                    println!("counted in {:.1?}", done.elapsed());
                }
            },
            _ => {}
        }
    }
    let succeeded = events.collect().await.status.is_success();
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
