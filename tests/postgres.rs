//! What is kept in a PostgreSQL database.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use timbal::{
    Batch, ConnectError, PostgresOptions, PostgresStore, Prune, RunId, Span, StatusCode, Store,
    Timestamp,
};
use timbal_tests::private_server::PrivateServer;
use timbal_tests::scratch::{Scratch, base_url, query, with_parameter};
use timbal_tests::{Child, directory, run_id, span};

/// What a store failed with, as its variant and its text.
fn failed(url: &str) -> (ConnectError, String) {
    let options = PostgresOptions::new().connect_timeout(Duration::from_secs(5));
    let error = options.connect(url).expect_err("there is no such place");
    let text = error.to_string();
    (error, text)
}

/// The URL with another part in the place of one.
fn changed(url: &str, part: &str, by: &str) -> String {
    assert!(url.contains(part), "{url} has no {part}");
    url.replacen(part, by, 1)
}

#[test]
fn a_url_that_says_nothing_is_an_error() {
    for url in ["postgres://me@localhost:port/db", "postgres://me@localhost/db?sslmode=maybe"] {
        let (error, text) = failed(url);
        assert!(matches!(error, ConnectError::Url { .. }), "{error:?}");
        assert!(text.starts_with("the URL cannot be used: "), "{text}");
    }
}

#[test]
fn nobody_there_is_an_error() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (error, text) = failed(&format!("postgres://me:secret@127.0.0.1:{free}/db"));
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(text.starts_with("the server does not answer: ") && !text.contains("secret"), "{text}");
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let options = PostgresOptions::new().connect_timeout(Duration::from_millis(50));
    let error = options.connect(&format!("postgres://me@127.0.0.1:{port}/db")).unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert_eq!(error.to_string(), "the server does not answer: no answer within 50ms");
}

/// What a process says that records as the environment says.
fn init(store: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_child"));
    let mut child = Child::start(command.arg("init").env("TIMBAL_STORE", store));
    let said = child.line().expect("it says something");
    assert!(child.go_on().success());
    said
}

#[test]
fn the_environment_names_a_database() {
    let said = init("postgres://me:secret@127.0.0.1:1/db?password=secret");
    let expected =
        "TIMBAL_STORE is \"postgres://***@127.0.0.1:1/db\": the server does not answer: ";
    assert!(said.starts_with(expected) && !said.contains("secret"), "{said}");

    let Some(scratch) = Scratch::new() else { return };
    let run = init(&scratch.url()).parse().unwrap();
    let store = PostgresStore::connect(&scratch.url()).unwrap();
    assert_eq!(store.trace(run).unwrap().unwrap().spans.len(), 4);
}

#[test]
fn a_database_that_is_missing_is_an_error() {
    let Some(base) = base_url() else { return };
    let name = query(&base, "SELECT current_database()").remove(0);
    let (error, text) = failed(&changed(&base, &format!("/{name}"), "/no_such_database"));
    assert!(matches!(error, ConnectError::NoDatabase { .. }), "{error:?}");
    assert!(text.contains("\"no_such_database\" does not exist"), "{text}");
}

#[test]
fn who_may_not_make_tables_is_told() {
    let Some(scratch) = Scratch::new() else { return };
    let role = format!("{}_reader", scratch.schema());
    let schema = scratch.schema();
    scratch.query(&format!("CREATE ROLE {role}; GRANT USAGE ON SCHEMA {schema} TO {role}"));
    // Where the role may not log in itself, who logs in becomes it.
    let url = scratch.url() + &format!("%20-crole%3D{role}");
    let (error, text) = failed(&url);
    assert!(matches!(error, ConnectError::NotAllowed { .. }), "{error:?}");
    assert!(text.contains("permission denied"), "{text}");

    // Who may only write can, once the tables are there.
    drop(PostgresStore::connect(&scratch.url()).unwrap());
    scratch
        .query(&format!("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO {role}"));
    let store = PostgresStore::connect(&url).unwrap();
    let now = today(1);
    store.put(&Batch::from_iter([now.clone()])).unwrap();
    assert_eq!(store.trace(now.run_id).unwrap().unwrap().spans, [now]);
    drop(store);
    scratch.query(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn tables_of_a_later_version_are_left_alone() {
    let Some(scratch) = Scratch::new() else { return };
    drop(PostgresStore::connect(&scratch.url()).unwrap());
    scratch.query("UPDATE timbal_schema SET version = 99");
    let (error, text) = failed(&scratch.url());
    assert!(matches!(error, ConnectError::NewerSchema { found: 99, .. }), "{error:?}");
    assert_eq!(text, "the tables have version 99, and this version of timbal knows only 1");
}

#[test]
fn many_may_make_the_tables_at_once() {
    let Some(scratch) = Scratch::new() else { return };
    std::thread::scope(|scope| {
        for run in 1..=6 {
            let url = scratch.url();
            scope.spawn(move || {
                let store = PostgresStore::connect(&url).unwrap();
                store.put(&Batch::from_iter([today(run)])).unwrap(); // they race for its day, too
            });
        }
    });
    assert_eq!(scratch.query("SELECT version FROM timbal_schema"), ["1"]);
    assert_eq!(scratch.query("SELECT count(*) FROM timbal_spans"), ["6"]);
    assert_eq!(days(&scratch), ["timbal_spans_20261123"]);
}

#[test]
fn tls_is_as_the_url_says() {
    let Some(scratch) = Scratch::new() else { return };
    let has_tls = scratch.query("SHOW ssl") == ["on"];
    let is_secret = |mode: &str| {
        let url =
            with_parameter(&scratch.url(), &format!("sslmode={mode}&application_name={mode}"));
        let _store = PostgresStore::connect(&url)?;
        let asked = format!(
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
            WHERE application_name = '{mode}' AND query LIKE '%timbal_schema%'"
        );
        Ok::<_, ConnectError>(scratch.query(&asked).first().is_some_and(|ssl| ssl == "t"))
    };
    assert!(!is_secret("disable").unwrap());
    assert_eq!(is_secret("prefer").unwrap(), has_tls);
    assert_eq!(is_secret("require").ok(), has_tls.then_some(true));
    // No authority knows a server of this machine.
    assert!(is_secret("verify-full").is_err());
}

#[test]
fn a_server_is_known_by_the_authorities_of_a_file() {
    let Some(server) = PrivateServer::start("authorities") else { return };
    let authority = server.certify();
    let is_known = |host: &str, mode: &str, file: &Path| {
        let url = server.url().replace("127.0.0.1", host);
        let parameters = format!("sslmode={mode}&sslrootcert={}", file.display());
        PostgresStore::connect(&with_parameter(&url, &parameters)).is_ok()
    };
    assert!(is_known("127.0.0.1", "verify-full", &authority));
    assert!(!is_known("localhost", "verify-full", &authority), "it is not of that name");
    for mode in ["prefer", "require", "verify-ca"] {
        assert!(is_known("localhost", mode, &authority), "{mode}");
        assert!(!is_known("localhost", mode, &authority.with_file_name("server.crt")), "{mode}");
    }
    let well_known = with_parameter(&server.url(), "sslmode=verify-full");
    let text = failed(&well_known).1;
    assert!(text.contains("UnknownIssuer"), "{text}");
    assert!(PostgresStore::connect(&with_parameter(&server.url(), "sslmode=require")).is_ok());
}

#[test]
fn authorities_that_cannot_be_read_are_an_error() {
    let place = directory("postgres_authorities");
    std::fs::write(place.join("no pem"), "words").unwrap();
    let reasons =
        [("missing", "No such file"), ("no pem", "there is no certificate in PEM's form")];
    for (name, reason) in reasons {
        let path = place.join(name);
        let parameter = path.display().to_string().replace(' ', "%20");
        let (error, text) = failed(&format!("postgres://me@localhost/db?sslrootcert={parameter}"));
        assert!(matches!(&error, ConnectError::Authorities { file, .. } if *file == path));
        let start = format!("the authorities in `{}` cannot be read: ", path.display());
        assert!(text.starts_with(&start) && text.contains(reason), "{text}");
    }
    let (error, text) = failed("postgres://me@localhost/db?sslmode=verify-ca");
    assert!(matches!(error, ConnectError::Url { .. }), "{error:?}");
    assert!(text.ends_with("`sslmode=verify-ca` needs `sslrootcert`"), "{text}");
}

#[test]
fn a_table_that_gets_a_column_is_written_to() {
    let Some(scratch) = Scratch::new() else { return };
    let store = PostgresStore::connect(&scratch.url()).unwrap();
    store.put(&Batch::from_iter([span(1, 1, 10)])).unwrap();
    scratch.query("ALTER TABLE timbal_spans ADD COLUMN later text DEFAULT 'none'");
    store.put(&Batch::from_iter([span(2, 1, 10)])).unwrap();
    let new = PostgresStore::connect(&scratch.url()).unwrap();
    new.put(&Batch::from_iter([span(3, 1, 10)])).unwrap();
    assert_eq!(store.trace(run_id(2)).unwrap().unwrap().spans, [span(2, 1, 10)]);
    assert_eq!(scratch.query("SELECT later FROM timbal_spans"), ["none"; 3]);
}

/// 2026-11-23, at 04:30.
const TODAY_MS: u64 = 1_795_408_200_000;

/// The root of a run of that day, with an id that says so.
fn today(number: u64) -> Span {
    on_day(0, number)
}

/// The root of a run so many days before.
fn on_day(ago: u64, number: u64) -> Span {
    let ms = TODAY_MS - ago * 86_400_000;
    let id = u128::from(ms) << 80 | 0x7 << 76 | 0b10 << 62 | u128::from(number);
    let mut span = span(1, 1, 10);
    span.run_id = RunId::from_u128(id).unwrap();
    (span.t0, span.t1) = (Timestamp::from_millis(ms), Timestamp::from_millis(ms + 5));
    span
}

/// The tables of days.
fn days(scratch: &Scratch) -> Vec<String> {
    scratch.query(
        "SELECT inhrelid::regclass::text FROM pg_inherits
        WHERE inhparent = 'timbal_spans'::regclass AND inhrelid <> 'timbal_spans_other'::regclass
        ORDER BY 1",
    )
}

#[test]
fn old_days_go_as_a_whole() {
    let Some(scratch) = Scratch::new() else { return };
    let store = PostgresStore::connect(&scratch.url()).unwrap();
    let spans: Vec<Span> = (0..4).map(|ago| on_day(ago, 1)).collect();
    let foreign = span(7, 1, 10); // of an id that says no day
    store.put(&spans.iter().cloned().chain([foreign.clone()]).collect()).unwrap();
    assert_eq!(days(&scratch).len(), 4);
    assert_eq!(scratch.query("SELECT count(*) FROM timbal_spans_other"), ["1"]);

    let pruned = store.prune(&Prune::new().before(spans[1].t0)).unwrap();
    assert_eq!((pruned.runs, pruned.spans), (3, 3), "two days, and the run without one");
    assert_eq!(days(&scratch), ["timbal_spans_20261122", "timbal_spans_20261123"]);
    assert_eq!(store.trace(spans[0].run_id).unwrap().unwrap().spans, [spans[0].clone()]);

    // What comes late, of a day that is gone, has a place.
    store.put(&Batch::from_iter([spans[3].clone()])).unwrap();
    assert_eq!(store.trace(spans[3].run_id).unwrap().unwrap().spans, [spans[3].clone()]);
    assert_eq!(store.prune(&Prune::new().before(spans[1].t0)).unwrap().runs, 1);
    assert_eq!(store.trace(spans[3].run_id).unwrap(), None);
}

#[test]
fn a_running_call_whose_writer_is_gone_is_interrupted() {
    let Some(scratch) = Scratch::new() else { return };
    let writer = PostgresStore::connect(&scratch.url()).unwrap();
    let reader = PostgresStore::connect(&scratch.url()).unwrap();
    let mut open = span(1, 1, 10);
    open.status = StatusCode::Running.into();
    writer.put(&Batch::from_iter([open])).unwrap();
    let status = || {
        let page = reader.runs(&timbal::Filter::new()).unwrap();
        let trace = reader.trace(run_id(1)).unwrap().unwrap();
        assert_eq!(page.runs[0].status, trace.spans[0].status);
        trace.spans[0].status.code
    };
    assert_eq!(status(), StatusCode::Running);
    drop(writer);
    // The server lets go of the lock when it has seen that the connection is closed.
    while status() == StatusCode::Running {
        std::thread::yield_now();
    }
    assert_eq!(status(), StatusCode::Interrupted);
}

#[test]
fn a_running_call_comes_too_late_after_its_end() {
    let Some(scratch) = Scratch::new() else { return };
    let store = PostgresStore::connect(&scratch.url()).unwrap();
    let (ended, mut open) = (span(1, 1, 10), span(1, 1, 10));
    open.status = StatusCode::Running.into();
    store.put(&Batch::from_iter([open.clone()])).unwrap();
    store.put(&Batch::from_iter([ended.clone()])).unwrap();
    store.put(&Batch::from_iter([open])).unwrap();
    assert_eq!(store.trace(run_id(1)).unwrap().unwrap().spans, [ended]);
}
