//! The form of the file, and how older forms become this one.

use rusqlite::{Connection, TransactionBehavior};

/// Says in the file's header whose it is: "timb".
pub(crate) const APPLICATION_ID: i64 = 0x7469_6d62;

/// Each takes the file from one version of its form to the next; the first from nothing. What has
/// been written once is never changed.
const MIGRATIONS: &[fn(&Connection) -> rusqlite::Result<()>] = &[
    |step| step.execute_batch(include_str!("schema_1.sql")),
    // Some files of version 1 have it already.
    |step| match step.column_exists(None, "spans", "allocated_bytes")? {
        true => Ok(()),
        false => step.execute_batch("ALTER TABLE spans ADD COLUMN allocated_bytes INTEGER"),
    },
];

/// The version that this crate reads and writes.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// What a file says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing is in it yet.
    Empty,
    /// Another application's database.
    Foreign,
    /// Ours, of this version.
    Version(i64),
}

/// Reads what a file says of itself. It changes nothing.
pub(crate) fn find(connection: &Connection) -> rusqlite::Result<Found> {
    let number = |sql| connection.query_one(sql, [], |row| row.get::<_, i64>(0));
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let version = number("PRAGMA user_version")?;
    Ok(match number("PRAGMA application_id")? {
        APPLICATION_ID => Found::Version(version),
        0 if tables == 0 && version == 0 => Found::Empty,
        _ => Found::Foreign,
    })
}

/// Brings the file to this version, step by step, each done or not done.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    loop {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have done it in the meantime.
        let version = match find(&step)? {
            Found::Version(version) => version,
            Found::Empty => 0,
            Found::Foreign => return Ok(()),
        };
        let Some(migration) = usize::try_from(version).ok().and_then(|v| MIGRATIONS.get(v)) else {
            return Ok(());
        };
        migration(&step)?;
        step.pragma_update(None, "user_version", version + 1)?;
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.commit()?;
    }
}
