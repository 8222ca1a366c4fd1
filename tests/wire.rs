//! Events, spans and traces as JSON, to the letter, both ways.

use futures::executor::block_on;
use serde::Deserialize;
use serde_json::json;
use timbal::{
    CallId, ChunkEvent, Event, OutputEvent, Payload, RunId, Span, StartEvent, Status, StatusCode,
    Timestamp, Trace, runnable,
};

const START: &str = r#"{"type":"START","run_id":"0197f4a89c4b7d3ea1f00c5e8a6b2d41","parent_run_id":null,"path":"index","call_id":"00f067aa0ba902b7","parent_call_id":null}"#;
const CHUNK: &str = r#"{"type":"CHUNK","run_id":"0197f4a89c4b7d3ea1f00c5e8a6b2d41","parent_run_id":null,"path":"index","call_id":"00f067aa0ba902b7","parent_call_id":null,"chunk":{"z":1,"a":[2.50]}}"#;
const OUTPUT: &str = r#"{"type":"OUTPUT","run_id":"0197f4a89c4b7d3ea1f00c5e8a6b2d41","parent_run_id":"0197f4a89c4b7d3ea1f00c5e8a6b2d42","path":"index.read","call_id":"00f067aa0ba902b7","parent_call_id":"00f067aa0ba902b8","input":{"name":"Alice"},"status":{"code":"success","reason":null,"message":null},"output":"Hello, Alice!","error":null,"t0":1640995200000,"t1":1640995201000,"usage":{"tokens":150},"metadata":{"model":"gpt-5"}}"#;
const FAILED: &str = r#"{"type":"OUTPUT","run_id":"0197f4a89c4b7d3ea1f00c5e8a6b2d41","parent_run_id":null,"path":"read","call_id":"00f067aa0ba902b7","parent_call_id":null,"input":{},"status":{"code":"error","reason":null,"message":null},"output":null,"error":{"type":"std::io::Error","message":"No such file","traceback":"Traceback (most recent call last):","causes":[{"type":"dyn Error","message":"why"}]},"t0":1640995200000,"t1":1640995201000,"usage":{},"metadata":{}}"#;

fn start() -> StartEvent {
    let run_id: RunId = "0197f4a89c4b7d3ea1f00c5e8a6b2d41".parse().unwrap();
    let call_id: CallId = "00f067aa0ba902b7".parse().unwrap();
    StartEvent::new(run_id, call_id, "index")
}

#[test]
fn events_are_written_to_the_letter() {
    assert_eq!(serde_json::to_string(&Event::Start(start())).unwrap(), START);
    let payload: Payload = serde_json::from_str(r#"{"z":1,"a":[2.50]}"#).unwrap();
    let chunk = Event::Chunk(ChunkEvent::new(start(), payload));
    assert_eq!(serde_json::to_string(&chunk).unwrap(), CHUNK);

    let mut done = OutputEvent::new(start(), Timestamp::from_millis(1_640_995_200_000));
    done.parent_run_id = "0197f4a89c4b7d3ea1f00c5e8a6b2d42".parse().ok();
    done.parent_call_id = "00f067aa0ba902b8".parse().ok();
    done.path = "index.read".into();
    done.t1 = Timestamp::from_millis(1_640_995_201_000);
    done.input = Payload::new(&json!({ "name": "Alice" }));
    done.output = Payload::new("Hello, Alice!");
    done.usage.insert("tokens".into(), 150);
    done.metadata.insert("model".into(), "gpt-5".into());
    assert_eq!(serde_json::to_string(&done).unwrap(), OUTPUT);
    assert_eq!(serde_json::to_string(&Event::Output(done)).unwrap(), OUTPUT);
}

#[test]
fn events_are_read_and_written_again_to_the_letter() {
    for line in [START, CHUNK, OUTPUT, FAILED] {
        let event: Event = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
        let value = serde_json::to_value(&event).unwrap();
        let event: Event = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), value);
    }
}

#[test]
fn an_output_that_was_read_knows_milliseconds() {
    let Event::Output(done) = serde_json::from_str(OUTPUT).unwrap() else { panic!("an output") };
    assert_eq!(done.elapsed().as_secs(), 1);
    assert_eq!((done.status.code, done.usage["tokens"]), (StatusCode::Success, 150));
    let Event::Output(failed) = serde_json::from_str(FAILED).unwrap() else { panic!("an output") };
    let error = failed.error.unwrap();
    assert_eq!((error.type_name(), error.causes()[0].message.as_str()), ("std::io::Error", "why"));
}

#[test]
fn unknown_keys_are_passed_over() {
    let more = START.replace("\"path\"", "\"colour\":\"blue\",\"path\"");
    let event: Event = serde_json::from_str(&more).unwrap();
    assert_eq!(event, Event::Start(start()));
}

#[test]
fn unknown_types_are_kept() {
    let line = START.replace("START", "PAUSE").replace("}", ",\"seconds\":3}");
    let event: Event = serde_json::from_str(&line).unwrap();
    assert_eq!((event.path(), event.is_root()), ("index", true));
    assert_eq!(serde_json::to_string(&event).unwrap(), line);
}

#[test]
fn what_is_no_event_is_an_error() {
    for line in ["{}", "[]", "{\"type\":\"START\"}", &START.replace("00f067aa0ba902b7", "0")] {
        assert!(serde_json::from_str::<Event>(line).is_err(), "{line}");
    }
}

#[runnable]
async fn greet(name: String) -> String {
    timbal::usage("tokens", 150);
    timbal::emit("Hel").await;
    format!("Hello, {name}!")
}

#[test]
fn a_span_is_written_to_the_letter() {
    let timbal = timbal_tests::steady().build();
    let call = timbal::call!("root", async { greet("Alice".into()).await }).recorded_by(&timbal);
    let (_, trace) = block_on(call.traced());
    let span = &trace.spans[1];
    let [definition, process] =
        [serde_json::to_string(&span.definition), serde_json::to_string(&span.process)]
            .map(Result::unwrap);
    let expected = [
        format!(r#"{{"run_id":"{}","parent_run_id":null,"path":"root.greet","#, span.run_id),
        r#""call_id":"0000000000000004","parent_call_id":"0000000000000003","#.into(),
        r#""input":{"name":"Alice"},"status":{"code":"success","reason":null,"message":null},"#
            .into(),
        r#""output":"Hello, Alice!","error":null,"t0":1640995200001,"t1":1640995200003,"#.into(),
        r#""usage":{"tokens":150},"metadata":{},"seq":1,"elapsed_ns":2000000,"busy_ns":2000000,"#
            .into(),
        r#""polls":1,"calls":0,"chunks":1,"first_chunk_ns":1000000,"usage_own":{"tokens":150},"#
            .into(),
        format!(r#""definition":{definition},"#),
        format!(r#""process":{process},"schema":1}}"#),
    ];
    assert_eq!(serde_json::to_string(span).unwrap(), expected.concat());
}

#[test]
fn traces_and_spans_are_read_back() {
    let (_, trace) = block_on(greet("Alice".into()).traced());
    let text = serde_json::to_string(&trace).unwrap();
    let read: Trace = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let text = serde_json::to_string(&trace.spans[0]).unwrap();
    let span: Span = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (span.elapsed_ns, &span.definition),
        (trace.spans[0].elapsed_ns, &trace.spans[0].definition)
    );
}

#[test]
fn events_and_spans_are_read_as_a_part_of_something_else() {
    #[derive(Deserialize)]
    struct Line {
        at: u64,
        #[serde(flatten)]
        event: Event,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Message {
        Number(u64),
        Event(Box<Event>),
        Span(Box<Span>),
    }
    for text in [START, CHUNK, OUTPUT, FAILED] {
        let event: Event = serde_json::from_str(text).unwrap();
        let line: Line = serde_json::from_str(&text.replacen('{', "{\"at\":7,", 1)).unwrap();
        let values = [serde_json::to_value(&line.event), serde_json::to_value(&event)];
        assert_eq!((line.at, values[0].as_ref().unwrap()), (7, values[1].as_ref().unwrap()));
        let message = serde_json::from_str(text).unwrap();
        assert!(matches!(message, Message::Event(read) if read.path() == event.path()));
    }
    let (_, trace) = block_on(greet("Alice".into()).traced());
    let message = serde_json::from_str(&serde_json::to_string(&trace.spans[0]).unwrap()).unwrap();
    assert!(matches!(message, Message::Span(span) if span.input == json!({ "name": "Alice" })));
    assert!(matches!(serde_json::from_str("3").unwrap(), Message::Number(3)));
}

#[test]
fn a_status_is_one_word_in_its_span() {
    let words = ["success", "error", "cancelled", "timeout", "running", "interrupted"];
    for word in words {
        let json = format!(r#"{{"code":"{word}","reason":null,"message":null}}"#);
        let status: Status = serde_json::from_str(&json).unwrap();
        assert_eq!(status.to_string(), word);
        assert_eq!(serde_json::to_string(&status).unwrap(), json);
    }
    assert_eq!(Status::running().code, StatusCode::Running);
    assert_eq!(Status::interrupted().code, StatusCode::Interrupted);
}
