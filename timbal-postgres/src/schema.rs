//! The form of the tables, and how older forms become this one.

use crate::session::{Session, SessionError};

/// Each takes the tables from one version of their form to the next; the first from nothing. What has
/// been released is never changed.
const MIGRATIONS: &[&str] = &[include_str!("schema_1.sql")];

/// The version that this crate reads and writes.
const VERSION: i32 = MIGRATIONS.len() as i32;

/// The advisory lock of who changes tables: "timbal" in letters.
pub(crate) const LOCK: i64 = 0x7469_6d62_616c;

/// Brings the tables to this version, if they are not.
pub(crate) async fn prepare(session: &mut Session) -> Result<(), SessionError> {
    if find(session).await? == VERSION {
        return Ok(()); // needs no lock, and no right to make tables
    }
    session.batch("BEGIN").await?;
    let migrated = migrate(session).await;
    let end = if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = session.batch(end).await;
    migrated.and(ended)
}

/// All steps or none. Another process may have made them in the meantime.
async fn migrate(session: &mut Session) -> Result<(), SessionError> {
    session.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let found = find(session).await?;
    if found == VERSION {
        return Ok(());
    }
    for migration in MIGRATIONS.iter().skip(found as usize) {
        session.batch(migration).await?;
    }
    session.batch("DELETE FROM timbal_schema").await?;
    session.execute("INSERT INTO timbal_schema (version) VALUES ($1)", &[&VERSION]).await?;
    Ok(())
}

/// The version of the tables, if this crate can go on from there; 0 if there are none.
async fn find(session: &mut Session) -> Result<i32, SessionError> {
    // By a scan: what looks names up may not have heard yet what another process has just made.
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_class
        WHERE relname = 'timbal_schema' AND pg_table_is_visible(oid))";
    let rows = session.query(sql, &[]).await?;
    if !rows[0].try_get(0)? {
        return Ok(0);
    }
    let rows = session.query("SELECT version FROM timbal_schema", &[]).await?;
    let found: i32 = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
    if found > VERSION {
        return Err(SessionError::NewerSchema { found, known: VERSION });
    }
    Ok(found)
}
