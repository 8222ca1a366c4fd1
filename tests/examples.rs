//! What a user of `cargo run --example NAME` sees: of `stream`, `pipeline`, `agent` and `service`.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The example, which `cargo test` has built beside this test.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let example = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(
        example.exists(),
        "`cargo test --test` builds no examples: say `cargo test -p timbal-examples`"
    );
    let mut command = Command::new(example);
    let settings = ["TIMBAL_LOG", "TIMBAL_LOG_FORMAT", "TIMBAL_STORE", "OPENAI_BASE_URL"];
    settings.iter().for_each(|setting| _ = command.env_remove(setting));
    command
}

/// What it printed, on both channels, and whether it succeeded.
fn run(command: &mut Command) -> (String, String, bool) {
    let output = command.output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|t| String::from_utf8(t).unwrap());
    (stdout, stderr, output.status.success())
}

fn directory(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples").join(name);
    let _if_there = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    files.iter().for_each(|(file, text)| fs::write(dir.join(file), text).unwrap());
    dir
}

#[test]
fn stream_draws_a_bar_and_counts() {
    let dir = directory("stream", &[("text", &"so what\n".repeat(1_000)), ("empty", "")]);
    let (stdout, stderr, succeeded) = run(example("stream").arg(dir.join("text")));
    assert!(succeeded && stderr.is_empty(), "{stderr}");
    let bars: Vec<&str> = stdout.lines().next().unwrap().split('\r').skip(1).collect();
    assert_eq!(bars.len(), 101);
    assert_eq!(bars[50], "[####################....................]  50 %");
    assert!(stdout.contains("\n1000 lines, 2000 words; the longest line has 7 characters\n"));

    let (stdout, _, succeeded) = run(example("stream").arg(dir.join("empty")));
    assert!(succeeded && stdout.contains("0 lines, 0 words"), "{stdout}");
    let (stdout, _, succeeded) = run(example("stream").arg(dir.join("missing")));
    assert!(!succeeded && stdout.contains("std::io::Error: No such file"), "{stdout}");
    assert!(stdout.contains("in count\n    File::open(&path).await?"), "{stdout}");
}

#[test]
fn pipeline_tries_again_and_gives_up() {
    let dir = directory("pipeline", &[("a", "aaa"), ("b", "ab")]);
    let files = [dir.join("a"), dir.join("missing"), "/dev/zero".into(), dir.join("b")];
    let (stdout, stderr, succeeded) = run(example("pipeline").args(files));
    assert!(succeeded && stderr.is_empty(), "{stderr}");
    let last = stdout.lines().last().unwrap();
    assert_eq!(last, "files: 4, failed: 2, bytes: 5, most frequent: Some('a')");
    let tries =
        stdout.lines().filter(|line| line.starts_with("    read") && line.contains("missing"));
    assert_eq!(tries.count(), 3);
    assert!(stdout.contains(r#"    read {"path":"/dev/zero"} -- timeout"#), "{stdout}");
    assert!(stdout.contains("in pipeline.count.read\n    File::open(path).await"), "{stdout}");
    assert!(stdout.contains("Caused by:\n  the call took longer than 500ms"), "{stdout}");
}

#[test]
fn agent_asks_until_it_knows() {
    let dir = directory("agent", &[("a.txt", "1\n2\n"), ("b.txt", "1\n2\n3\n")]);
    let (stdout, stderr, succeeded) = run(example("agent").arg(&dir));
    assert!(succeeded && stderr.is_empty(), "{stderr}");
    assert!(stdout.contains(r#"the model: {"action":"count_lines","file":"a.txt"}"#), "{stdout}");
    assert!(stdout.ends_with("prompt_tokens\nb.txt has the most lines: 3\n"), "{stdout}");
    let (_, stderr, succeeded) = run(example("agent").arg(dir.join("missing")));
    assert!(!succeeded && stderr.contains("in agent.list_files\n"), "{stderr}");
}

/// An endpoint that says this, one after the other, and then goes; and what it is asked.
fn endpoint(says: &'static [&'static str]) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/", listener.local_addr().unwrap());
    let answer = move |said: &&str| {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        let (mut head, mut length) = (String::new(), 0);
        while reader.read_line(&mut head).unwrap() > 2 {
            let line = head.lines().last().unwrap().to_ascii_lowercase();
            length = line.strip_prefix("content-length: ").map_or(length, |n| n.parse().unwrap());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let content = serde_json::json!({
            "choices": [{ "message": { "content": said } }],
            "usage": { "prompt_tokens": 10, "completion_tokens": 1 },
        });
        let content = content.to_string();
        let length = content.len();
        let head_of_answer =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
        write!(&stream, "{head_of_answer}\r\ncontent-length: {length}\r\n\r\n{content}").unwrap();
        head + std::str::from_utf8(&body).unwrap()
    };
    (url, std::thread::spawn(move || says.iter().map(answer).collect()))
}

#[test]
fn agent_asks_an_endpoint() {
    let dir = directory("endpoint", &[("a.txt", "1\n2\n")]);
    let (url, asked) = endpoint(&[
        r#"{"action":"list_files"}"#,
        r#"{"action":"count_lines","file":"a.txt"}"#,
        r#"{"action":"answer","text":"two"}"#,
    ]);
    let mut agent = example("agent");
    agent.env("OPENAI_BASE_URL", url).env("OPENAI_API_KEY", "key").env("OPENAI_MODEL", "small");
    let (stdout, stderr, succeeded) = run(agent.arg(&dir));
    assert!(succeeded, "{stdout}{stderr}");
    assert!(stdout.ends_with("used: 3 completion_tokens, 30 prompt_tokens\ntwo\n"), "{stdout}");
    let asked = asked.join().unwrap();
    assert!(asked[0].starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", asked[0]);
    assert!(asked[0].to_ascii_lowercase().contains("authorization: bearer key\r\n"));
    let body = asked[2].split_once("\r\n\r\n").unwrap().1;
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let last = body["messages"].as_array().unwrap().last().unwrap();
    assert_eq!((&body["model"], &last["content"]), (&"small".into(), &r#"{"lines":2}"#.into()));
}

#[test]
fn agent_says_what_it_did_not_understand() {
    let (url, asked) = endpoint(&["I would rather not"]);
    let (_, stderr, succeeded) = run(example("agent").env("OPENAI_BASE_URL", url));
    assert!(!succeeded && stderr.contains("nobody asked for: I would rather not"), "{stderr}");
    assert_eq!(asked.join().unwrap().len(), 1);
}

/// Ends with the test.
struct Service(Child, String);

impl Service {
    fn start() -> Self {
        let mut child =
            example("service").arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self(child, address)
    }

    /// The events that it answers with.
    fn ask(&self, path: &str, header: &str) -> Vec<serde_json::Value> {
        let mut stream = TcpStream::connect(&self.1).unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{header}\r\n", self.1);
        stream.write_all(head.as_bytes()).unwrap();
        let answer = BufReader::new(stream).lines().map(Result::unwrap);
        let data = answer.filter_map(|line| Some(line.strip_prefix("data: ")?.to_owned()));
        data.map(|data| serde_json::from_str(&data).unwrap()).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn service_streams_the_events_of_each_request() {
    let service = Service::start();
    let header = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
    let events = service.ask("/words?text=so+what", header);
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let of_a_word = ["START", "OUTPUT", "CHUNK"];
    assert_eq!(types, [&["START"], &of_a_word[..], &of_a_word, &["OUTPUT"]].concat());
    assert!(events.iter().all(|event| event["run_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(events[0]["parent_call_id"], "00f067aa0ba902b7");
    assert_eq!((&events[7]["output"], &events[7]["usage"]["words"]), (&6.into(), &2.into()));

    let others = service.ask("/words?text=why", "traceparent: none\r\n");
    assert_eq!(others.len(), 5);
    assert!(others[0]["parent_call_id"].is_null());
    assert_ne!(others[0]["run_id"], service.ask("/words?text=why", "")[0]["run_id"]);
}
