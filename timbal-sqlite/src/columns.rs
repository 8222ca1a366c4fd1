//! What stands in columns: numbers, ids and JSON, as SQLite has them and as timbal does.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde_json::Value;
use timbal_core::{CallId, Payload, RunId, Status, StatusCode, StoreError, Timestamp};

use crate::writer_lock::Writers;

/// 64 bits without a sign are kept as the same bits with one.
pub(crate) fn signed(number: u64) -> i64 {
    number as i64
}

pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|number| number as u64)
}

/// A bound for times, which are compared as numbers with a sign: later than the year 2262 is never.
pub(crate) fn bound(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

pub(crate) fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    unsigned(row, column).map(Timestamp::from_nanos)
}

pub(crate) fn run_bytes(run_id: RunId) -> [u8; 16] {
    run_id.as_u128().to_be_bytes()
}

pub(crate) fn run_id(row: &Row<'_>, column: usize) -> Result<RunId, StoreError> {
    optional_run_id(row, column)?.ok_or_else(|| Broken("a run id").into_store_error())
}

pub(crate) fn optional_run_id(row: &Row<'_>, column: usize) -> Result<Option<RunId>, StoreError> {
    let bytes: Option<[u8; 16]> = row.get(column).map_err(StoreError::failed)?;
    Ok(bytes.and_then(|bytes| RunId::from_u128(u128::from_be_bytes(bytes))))
}

pub(crate) fn call_id(bits: u64) -> Result<CallId, StoreError> {
    CallId::from_u64(bits).ok_or_else(|| Broken("a call id").into_store_error())
}

/// A text as it was bound, byte for byte.
pub(crate) fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<Option<&'a str>, StoreError> {
    match row.get_ref(column).map_err(StoreError::failed)? {
        ValueRef::Null => Ok(None),
        value => value.as_str().map(Some).map_err(StoreError::failed),
    }
}

/// The text of a payload that is not `null`.
pub(crate) fn payload_text(payload: &Payload) -> Option<&str> {
    Some(payload.as_json()).filter(|text| *text != "null")
}

pub(crate) fn payload(row: &Row<'_>, column: usize) -> Result<Payload, StoreError> {
    let Some(text) = text(row, column)? else { return Ok(Payload::null()) };
    serde_json::from_str(text).map_err(StoreError::failed)
}

/// An object as JSON, if there is anything in it.
pub(crate) fn object_text<T: serde::Serialize>(
    object: &BTreeMap<String, T>,
) -> Result<Option<String>, StoreError> {
    if object.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(object).map(Some).map_err(StoreError::failed)
}

pub(crate) fn usage(row: &Row<'_>, column: usize) -> Result<BTreeMap<String, u64>, StoreError> {
    let Some(text) = text(row, column)? else { return Ok(BTreeMap::new()) };
    serde_json::from_str(text).map_err(StoreError::failed)
}

/// Values may be deeper than `serde_json` reads at once; payloads are not.
pub(crate) fn metadata(
    row: &Row<'_>,
    column: usize,
) -> Result<BTreeMap<String, Value>, StoreError> {
    let Some(text) = text(row, column)? else { return Ok(BTreeMap::new()) };
    let values: BTreeMap<String, Payload> =
        serde_json::from_str(text).map_err(StoreError::failed)?;
    Ok(values.into_iter().map(|(key, value)| (key, value.to_value())).collect())
}

pub(crate) fn status_code(word: &str) -> Result<StatusCode, StoreError> {
    if word == "success" {
        return Ok(StatusCode::Success); // nearly all, and statistics read many
    }
    serde_json::from_value(Value::from(word)).map_err(StoreError::failed)
}

/// The status that stands in these columns: code, reason, message, and the writer of a running call.
pub(crate) fn status(
    row: &Row<'_>,
    [code, reason, message, writer]: [usize; 4],
    writers: &mut Writers<'_>,
) -> Result<Status, StoreError> {
    let code = status_code(text(row, code)?.unwrap_or_default())?;
    let mut status = Status::from(code);
    status.reason = text(row, reason)?.map(str::to_owned);
    status.message = text(row, message)?.map(str::to_owned);
    if code == StatusCode::Running {
        let writer: Option<i64> = row.get(writer).map_err(StoreError::failed)?;
        if !writer.is_some_and(|writer| writers.is_alive(writer)) {
            status.code = StatusCode::Interrupted;
        }
    }
    Ok(status)
}

/// Something that is never written stands in the file.
#[derive(Debug)]
struct Broken(&'static str);

impl Broken {
    fn into_store_error(self) -> StoreError {
        StoreError::failed(self)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the file holds {} that is zero or missing", self.0)
    }
}

impl Error for Broken {}
