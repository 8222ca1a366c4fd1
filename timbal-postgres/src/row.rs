//! `Row`: a span in columns.

use std::collections::{BTreeMap, HashMap};

use bytes::BytesMut;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use timbal_core::{
    Batch, CallId, Definition, OutputEvent, Payload, Process, RunId, Span, StartEvent, Status,
    StatusCode, StoreError, Timestamp,
};
use tokio_postgres::Error;
use tokio_postgres::types::{ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::record;
use crate::text::Text;

/// Names the columns once, in the order that the table has them, for the struct and for all that is
/// asked of the table.
macro_rules! columns {
    ($($name:ident: $rust:ty,)*) => {
        /// A span in columns.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub(crate) struct Row {
            $(pub(crate) $name: $rust,)*
        }

        /// The names of all columns.
        pub(crate) const COLUMNS: &[&str] = &[$(stringify!($name)),*];

        impl Row {
            /// A row of all columns, in their order.
            pub(crate) fn read(row: &tokio_postgres::Row) -> Result<Self, Error> {
                let mut column = 0..;
                $(let $name = row.try_get(column.next().unwrap_or_default())?;)*
                Ok(Self { $($name),* })
            }
        }

        /// As the table's own type has it, so that a batch is one array.
        impl ToSql for Row {
            fn to_sql(&self, row: &Type, out: &mut BytesMut) -> record::Written {
                record::write(row, &[$(&self.$name),*], out)
            }

            fn accepts(row: &Type) -> bool {
                record::begins_with(row, COLUMNS)
            }

            to_sql_checked!();
        }
    };
}

columns! {
    run_id: Uuid,
    call_id: i64,
    parent_call_id: Option<i64>,
    parent_run_id: Option<Uuid>,
    path: Text,
    path_key: i64,
    status: String,
    reason: Option<Text>,
    message: Option<Text>,
    writer: Option<i64>,
    is_head: bool,
    t0: i64,
    t1: i64,
    seq: i64,
    elapsed_ns: i64,
    busy_ns: i64,
    polls: i64,
    calls: i64,
    chunks: i64,
    first_chunk_ns: Option<i64>,
    allocated_bytes: Option<i64>,
    usage: Option<Text>,
    usage_own: Option<Text>,
    input: Option<Text>,
    output: Option<Text>,
    error: Option<Text>,
    metadata: Option<Text>,
    definition: Text,
    process: Text,
    schema: i64,
    bytes: i64,
}

/// What a row takes besides its texts, about.
const ROW_BYTES: usize = 256;

/// The rows of a batch by their keys, which is the order in which all writers take their locks: each
/// call once, as it was put last. Running calls are this writer's.
pub(crate) fn rows(batch: &Batch, writer: i64) -> Result<Vec<Row>, StoreError> {
    let mut rows = BTreeMap::new();
    let mut said = Said::default();
    for span in batch.spans() {
        let row = said.row(span, writer)?;
        rows.insert((row.run_id, row.call_id), row);
    }
    let mut heads: HashMap<Uuid, (i64, _)> = HashMap::new();
    for row in rows.values() {
        let key = (row.parent_call_id.is_some(), row.t0, row.seq, row.call_id);
        let head = heads.entry(row.run_id).or_insert((row.call_id, key));
        if key < head.1 {
            *head = (row.call_id, key);
        }
    }
    let mut rows: Vec<Row> = rows.into_values().collect();
    for row in &mut rows {
        row.is_head = heads.get(&row.run_id).is_some_and(|head| head.0 == row.call_id);
    }
    Ok(rows)
}

/// Makes rows, and remembers the texts of what many of them say.
#[derive(Default)]
struct Said {
    definitions: HashMap<Definition, Text>,
    process: Option<(Process, Text)>,
}

impl Said {
    fn row(&mut self, span: Span, writer: i64) -> Result<Row, StoreError> {
        let mut row = Row {
            run_id: uuid(span.run_id),
            call_id: signed(span.call_id.as_u64()),
            parent_call_id: span.parent_call_id.map(|id| signed(id.as_u64())),
            parent_run_id: span.parent_run_id.map(uuid),
            path_key: path_key(&span.path),
            path: Text(span.path),
            status: span.status.code.to_string(),
            reason: span.status.reason.map(Text),
            message: span.status.message.map(Text),
            writer: (span.status.code == StatusCode::Running).then_some(writer),
            is_head: false,
            t0: signed(span.t0.as_nanos()),
            t1: signed(span.t1.as_nanos()),
            seq: signed(span.seq),
            elapsed_ns: signed(span.elapsed_ns),
            busy_ns: signed(span.busy_ns),
            polls: signed(span.polls),
            calls: signed(span.calls),
            chunks: signed(span.chunks),
            first_chunk_ns: span.first_chunk_ns.map(signed),
            allocated_bytes: span.allocated_bytes.map(signed),
            usage: object(&span.usage)?,
            usage_own: object(&span.usage_own)?,
            input: payload_text(&span.input),
            output: payload_text(&span.output),
            error: span.error.as_ref().map(json).transpose()?,
            metadata: object(&span.metadata)?,
            definition: self.definition(&span.definition)?,
            process: self.process(&span.process)?,
            schema: span.schema.into(),
            bytes: 0,
        };
        let texts =
            [&row.usage, &row.usage_own, &row.input, &row.output, &row.error, &row.metadata];
        let texts = texts.into_iter().flatten().chain([&row.path, &row.definition, &row.process]);
        row.bytes = (ROW_BYTES + texts.map(|text| text.0.len()).sum::<usize>()) as i64;
        Ok(row)
    }

    fn definition(&mut self, definition: &Definition) -> Result<Text, StoreError> {
        if let Some(text) = self.definitions.get(definition) {
            return Ok(text.clone());
        }
        let text = json(definition)?;
        self.definitions.insert(definition.clone(), text.clone());
        Ok(text)
    }

    fn process(&mut self, process: &Process) -> Result<Text, StoreError> {
        if let Some((known, text)) = &self.process
            && known == process
        {
            return Ok(text.clone());
        }
        // On the wire a time is milliseconds; here it comes back as it was.
        let text = json(&(process, process.since.as_nanos()))?;
        self.process = Some((process.clone(), text.clone()));
        Ok(text)
    }
}

impl Row {
    /// The span, with the status that stands in the row.
    pub(crate) fn span(self) -> Result<Span, StoreError> {
        let run_id = run_id(self.run_id)?;
        let mut start = StartEvent::new(run_id, call_id(self.call_id)?, self.path.0);
        start.parent_call_id = self.parent_call_id.map(call_id).transpose()?;
        start.parent_run_id = self.parent_run_id.map(self::run_id).transpose()?;
        let mut done = OutputEvent::new(start, timestamp(self.t0));
        done.t1 = timestamp(self.t1);
        done.status = status(&self.status, self.reason, self.message)?;
        (done.input, done.output) = (payload(self.input)?, payload(self.output)?);
        done.error = self.error.as_ref().map(parse).transpose()?;
        (done.usage, done.metadata) = (usage(self.usage)?, metadata(self.metadata)?);

        let mut span = Span::new(done, parse(&self.definition)?);
        let (process, since): (Process, u64) = parse(&self.process)?;
        (span.process, span.process.since) = (process, Timestamp::from_nanos(since));
        (span.seq, span.schema) = (self.seq as u64, self.schema as u32);
        (span.elapsed_ns, span.busy_ns) = (self.elapsed_ns as u64, self.busy_ns as u64);
        (span.polls, span.calls) = (self.polls as u64, self.calls as u64);
        span.chunks = self.chunks as u64;
        span.first_chunk_ns = self.first_chunk_ns.map(|number| number as u64);
        span.allocated_bytes = self.allocated_bytes.map(|number| number as u64);
        span.usage_own = usage(self.usage_own)?;
        Ok(span)
    }
}

/// 64 bits without a sign are kept as the same bits with one.
pub(crate) fn signed(number: u64) -> i64 {
    number as i64
}

/// A bound for times, which are compared as numbers with a sign: later than the year 2262 is never.
pub(crate) fn bound(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

pub(crate) fn timestamp(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(nanos as u64)
}

pub(crate) fn uuid(run_id: RunId) -> Uuid {
    Uuid::from_u128(run_id.as_u128())
}

pub(crate) fn run_id(uuid: Uuid) -> Result<RunId, StoreError> {
    RunId::from_u128(uuid.as_u128()).ok_or_else(|| StoreError::failed("a run id is zero"))
}

pub(crate) fn call_id(number: i64) -> Result<CallId, StoreError> {
    CallId::from_u64(number as u64).ok_or_else(|| StoreError::failed("a call id is zero"))
}

/// A hash that stays the same for ever: FNV-1a.
pub(crate) fn path_key(path: &str) -> i64 {
    let add = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    signed(path.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, add))
}

pub(crate) fn status_code(word: &str) -> Result<StatusCode, StoreError> {
    if word == "success" {
        return Ok(StatusCode::Success); // nearly all, and statistics read many
    }
    serde_json::from_value(Value::from(word)).map_err(StoreError::failed)
}

pub(crate) fn status(
    code: &str,
    reason: Option<Text>,
    message: Option<Text>,
) -> Result<Status, StoreError> {
    let mut status = Status::from(status_code(code)?);
    status.reason = reason.map(|text| text.0);
    status.message = message.map(|text| text.0);
    Ok(status)
}

fn json<T: Serialize>(value: &T) -> Result<Text, StoreError> {
    serde_json::to_string(value).map(Text).map_err(StoreError::failed)
}

pub(crate) fn parse<T: DeserializeOwned>(text: &Text) -> Result<T, StoreError> {
    serde_json::from_str(&text.0).map_err(StoreError::failed)
}

/// An object as JSON, if there is anything in it.
fn object<T: Serialize>(object: &BTreeMap<String, T>) -> Result<Option<Text>, StoreError> {
    if object.is_empty() { Ok(None) } else { json(object).map(Some) }
}

/// The text of a payload that is not `null`.
fn payload_text(payload: &Payload) -> Option<Text> {
    Some(payload.as_json()).filter(|text| *text != "null").map(|text| Text(text.to_owned()))
}

fn payload(text: Option<Text>) -> Result<Payload, StoreError> {
    text.as_ref().map_or_else(|| Ok(Payload::null()), parse)
}

pub(crate) fn usage(text: Option<Text>) -> Result<BTreeMap<String, u64>, StoreError> {
    text.as_ref().map_or_else(|| Ok(BTreeMap::new()), parse)
}

/// Values may be deeper than `serde_json` reads at once; payloads are not.
fn metadata(text: Option<Text>) -> Result<BTreeMap<String, Value>, StoreError> {
    let Some(text) = text else { return Ok(BTreeMap::new()) };
    let values: BTreeMap<String, Payload> = parse(&text)?;
    Ok(values.into_iter().map(|(key, value)| (key, value.to_value())).collect())
}
