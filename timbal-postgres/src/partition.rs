//! Partitions: the runs of a day have a table of their own, which goes at once.

use std::collections::BTreeSet;

use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::row::Row;
use crate::schema;
use crate::session::{Session, SessionError};

const DAY_MS: u64 = 86_400_000;

/// The bits that say that an id is a UUIDv7, which begins with its time.
const VERSION_7: u128 = 0x7 << 76;

/// The day that an id says, if its call started about then. An id from elsewhere is random, and would
/// ask for a table of its own.
fn day(row: &Row) -> Option<i32> {
    let id = row.run_id.as_u128();
    let day = ((id >> 80) as u64 / DAY_MS) as i64;
    let started = row.t0 / (DAY_MS as i64 * 1_000_000);
    let is_plausible = id & (0xf << 76) == VERSION_7 && (day - started).abs() <= 2;
    is_plausible.then_some(day as i32)
}

/// The first id of a day.
fn first_id(day: i32) -> Uuid {
    Uuid::from_u128(u128::from(day as u64 * DAY_MS) << 80)
}

/// Makes the tables for these rows that are missing.
pub(crate) async fn ensure(session: &mut Session, rows: &[Row]) -> Result<(), SessionError> {
    let days: BTreeSet<i32> = rows.iter().filter_map(day).collect();
    for day in days {
        if session.days.contains(&day) {
            continue;
        }
        session.batch("BEGIN").await?;
        let made = make(session, day).await;
        session.batch(if made.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
        match made {
            // The table of the others will do: it may hold runs of the day already, or the user may
            // only write.
            Err(error)
                if [SqlState::CHECK_VIOLATION, SqlState::INSUFFICIENT_PRIVILEGE]
                    .iter()
                    .any(|code| error.code() == Some(code)) => {}
            made => made?,
        }
        session.days.insert(day);
    }
    Ok(())
}

/// The name of a day's table, and whether it is there.
const PLACE: &str = "
    SELECT format('%I.%I', nspname, day), EXISTS (
        SELECT 1 FROM pg_class made WHERE made.relname = day AND made.relnamespace = spans.relnamespace)
    FROM pg_class spans JOIN pg_namespace schemas ON schemas.oid = spans.relnamespace,
        to_char(timestamp 'epoch' + $1 * interval '1 day', '\"timbal_spans_\"YYYYMMDD') day
    WHERE spans.oid = 'timbal_spans'::regclass";

async fn make(session: &mut Session, day: i32) -> Result<(), SessionError> {
    session.execute("SELECT pg_advisory_xact_lock($1)", &[&schema::LOCK]).await?;
    let found = session.query(PLACE, &[&f64::from(day)]).await?;
    let (name, is_there): (String, bool) = (found[0].try_get(0)?, found[0].try_get(1)?);
    if is_there {
        return Ok(());
    }
    // Attached, and not made as a part: that would keep all readers and writers out meanwhile.
    let (from, to) = (first_id(day), first_id(day + 1));
    let sql = format!(
        "CREATE TABLE {name} (LIKE timbal_spans INCLUDING ALL);
        ALTER TABLE timbal_spans ATTACH PARTITION {name} FOR VALUES FROM ('{from}') TO ('{to}')"
    );
    session.batch(&sql).await
}
