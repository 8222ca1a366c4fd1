//! What PostgreSQL takes to write, beside bare tokio-postgres: values that are ready, one statement
//! that is prepared, and nothing else.

use std::time::Duration;

use timbal::{Batch, PostgresStore, Span, Store};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

use crate::stores::{CALLS, Size, median, spans, time};
use crate::variants::Failure;

/// The runs of a batch: about as many spans as a recorder gives a store at once.
const RUNS: usize = 5;

/// The schemas of the two, which go when all is measured.
const SCHEMAS: [&str; 2] = ["timbal_bench_store", "timbal_bench_bare"];

/// Writes the same spans by the store and without it, a batch each in turns, into new tables.
pub(crate) fn print(size: Size) -> Result<(), Failure> {
    let Ok(url) = std::env::var("TIMBAL_TEST_POSTGRES") else {
        println!("skipped, as TIMBAL_TEST_POSTGRES is not set");
        return Ok(());
    };
    let runs: Vec<Vec<Span>> = (0..size.written).map(spans).collect();
    let batches: Vec<Vec<Span>> = runs.chunks(RUNS).map(<[_]>::concat).collect();
    let (mut stored, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        let [store_url, bare_url] = SCHEMAS.map(|name| in_schema(&url, name));
        let admin = Bare::connect(&url)?;
        admin.run(&drop_schemas())?;
        admin.run(&SCHEMAS.map(|name| format!("CREATE SCHEMA {name};")).concat())?;
        let store = PostgresStore::connect(&store_url)?;
        drop(PostgresStore::connect(&bare_url)?); // makes the tables
        let puts: Vec<Batch> =
            batches.iter().map(|spans| spans.iter().cloned().collect()).collect();
        let without = Bare::connect(&bare_url)?;
        let values: Vec<Values> = batches.iter().map(|spans| Values::of(spans)).collect();
        let statement = without.prepare()?;
        let (mut by_store, mut by_hand) = (Duration::ZERO, Duration::ZERO);
        for (batch, all) in puts.iter().zip(&values) {
            by_store += time(|| store.put(batch))?;
            by_hand += time(|| without.write(&statement, all))?;
        }
        ratios.push(by_hand.as_secs_f64() / by_store.as_secs_f64());
        stored.push(by_store);
        bare.push(by_hand);
        drop(store);
        admin.run(&drop_schemas())?;
    }
    let spans = (size.written * CALLS) as f64;
    let rate = |times: &mut Vec<Duration>| spans / median(times).as_secs_f64() / 1_000.0;
    println!("writing spans of 1.1 KB, {} a statement, each synced:", RUNS as u64 * CALLS);
    println!("  store               {:>8.1} k spans/s", rate(&mut stored));
    println!("  bare tokio-postgres {:>8.1} k spans/s", rate(&mut bare));
    ratios.sort_by(f64::total_cmp);
    println!("  store/bare          {:>8.2} (goal: 0.70 or more)", ratios[ratios.len() / 2]);
    Ok(())
}

/// Neither encrypts: by itself the store does where the server can, and tokio-postgres cannot.
fn in_schema(url: &str, schema: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}sslmode=disable&options=-csearch_path%3D{schema}")
}

fn drop_schemas() -> String {
    SCHEMAS.map(|name| format!("DROP SCHEMA IF EXISTS {name} CASCADE;")).concat()
}

/// A connection, and what runs it.
struct Bare {
    runtime: Runtime,
    client: Client,
}

/// The columns that differ from call to call.
#[derive(Default)]
struct Values {
    run_id: Vec<Uuid>,
    call_id: Vec<i64>,
    parent_call_id: Vec<Option<i64>>,
    path: Vec<Vec<u8>>,
    path_key: Vec<i64>,
    t0: Vec<i64>,
    t1: Vec<i64>,
    seq: Vec<i64>,
    elapsed_ns: Vec<i64>,
    usage: Vec<Vec<u8>>,
    input: Vec<Vec<u8>>,
    output: Vec<Vec<u8>>,
}

const DEFINITION: &str =
    r#"{"name":"f","module_path":"m","file":"f","line":1,"column":1,"crate_version":null}"#;
const PROCESS: &str =
    r#"[{"program":"timbal-bench","pid":12345,"since":1640995200000},1640995200000]"#;

impl Bare {
    fn connect(url: &str) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            Ok::<_, tokio_postgres::Error>(client)
        })?;
        Ok(Self { runtime, client })
    }

    fn run(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.runtime.block_on(self.client.batch_execute(sql))?)
    }

    fn prepare(&self) -> Result<Statement, Failure> {
        let sql = format!(
            "INSERT INTO timbal_spans (run_id, call_id, parent_call_id, path, path_key, status,
                is_head, t0, t1, seq, elapsed_ns, busy_ns, polls, calls, chunks, usage, usage_own,
                input, output, definition, process, schema, bytes)
            SELECT run_id, call_id, parent_call_id, path, path_key, 'success',
                parent_call_id IS NULL, t0, t1, seq, elapsed_ns, elapsed_ns, 1, 0, 0, usage, usage,
                input, output, '{DEFINITION}'::bytea, '{PROCESS}'::bytea, 1, 1100
            FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[],
                $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bytea[],
                $11::bytea[], $12::bytea[])
                AS rows (run_id, call_id, parent_call_id, path, path_key, t0, t1, seq, elapsed_ns,
                    usage, input, output)
            ON CONFLICT (run_id, call_id) DO UPDATE SET status = excluded.status"
        );
        Ok(self.runtime.block_on(self.client.prepare(&sql))?)
    }

    fn write(&self, statement: &Statement, all: &Values) -> Result<(), Failure> {
        let values: [&(dyn ToSql + Sync); 12] = [
            &all.run_id,
            &all.call_id,
            &all.parent_call_id,
            &all.path,
            &all.path_key,
            &all.t0,
            &all.t1,
            &all.seq,
            &all.elapsed_ns,
            &all.usage,
            &all.input,
            &all.output,
        ];
        let written = self.runtime.block_on(self.client.execute(statement, &values))?;
        if written as usize != all.run_id.len() {
            return Err(format!("{written} spans were written").into());
        }
        Ok(())
    }
}

impl Values {
    /// In the order in which the store writes them.
    fn of(spans: &[Span]) -> Self {
        let mut spans: Vec<&Span> = spans.iter().collect();
        spans.sort_by_key(|span| (span.run_id, span.call_id.as_u64() as i64));
        let mut all = Self::default();
        for span in spans {
            all.run_id.push(Uuid::from_u128(span.run_id.as_u128()));
            all.call_id.push(span.call_id.as_u64() as i64);
            all.parent_call_id.push(span.parent_call_id.map(|id| id.as_u64() as i64));
            all.path.push(span.path.clone().into_bytes());
            all.path_key.push(span.path.len() as i64);
            all.t0.push(span.t0.as_nanos() as i64);
            all.t1.push(span.t1.as_nanos() as i64);
            all.seq.push(span.seq as i64);
            all.elapsed_ns.push(span.elapsed_ns as i64);
            all.usage.push(serde_json::to_vec(&span.usage).unwrap_or_default());
            all.input.push(span.input.as_json().as_bytes().to_vec());
            all.output.push(span.output.as_json().as_bytes().to_vec());
        }
        all
    }
}
