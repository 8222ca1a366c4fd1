//! `PostgresStore`: a store in a database that several machines share.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use timbal_core::{
    Batch, Filter, Page, Prune, Pruned, RunId, Stats, StatsQuery, Store, StoreError, Trace,
};

use crate::runtime::Runtime;
use crate::server::{OwnedValues, Server};
use crate::session::SessionError;
use crate::spool::Spool;
use crate::{ConnectError, PostgresOptions, prune, read, row, runs, stats};

/// Keeps traces in a PostgreSQL database. Its clones are the same store.
///
/// Processes on several machines may write to one database, also spans of one run. What was put is on
/// the server's disk: each batch is one statement, committed when [`put`](Store::put) returns. A
/// connection that is gone is opened again; what could not be put meanwhile waits with the recorder,
/// or in a [file](PostgresOptions::spool).
///
/// The tables begin with `timbal_` and stand in the first schema of the connection's `search_path`
/// (`?options=-csearch_path%3Dtraces` in the URL names another). The runs of a day are a partition,
/// which [`prune`](Store::prune) drops as a whole. The connections keep advisory locks, so a pooler
/// between has to keep sessions.
///
/// # TLS
///
/// `sslmode` in the URL says it: `disable`, `prefer` (the default: if the server has it), `require`,
/// `verify-ca`, and `verify-full`, where the server's certificate must be of its name and signed by an
/// authority. `sslrootcert` names a file in PEM's form with the authorities, else they are the
/// well-known ones: `?sslmode=verify-full&sslrootcert=/etc/ssl/ours.crt`. As with PostgreSQL's own
/// clients, `prefer` and `require` take any certificate where there is no `sslrootcert`, and where
/// there is one they ask what `verify-ca` asks: one of these authorities, and no name.
///
/// # Examples
///
/// ```no_run
/// // It needs a server.
/// use timbal_core::{RunId, Store};
/// use timbal_postgres::PostgresStore;
///
/// let store = PostgresStore::connect("postgres://me@localhost/traces")?;
/// assert_eq!(store.trace(RunId::from_u128(7).unwrap())?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    server: Arc<Server>,
    runtime: Runtime,
}

impl PostgresStore {
    /// Connects to the database that a URL names, and makes the tables there if there are none. It
    /// waits, also in an executor.
    ///
    /// # Errors
    ///
    /// If the URL or the file of its `sslrootcert` cannot be read, the server does not answer or does
    /// not let the user in, there is no such database, or the tables cannot be made or are of a later
    /// version.
    pub fn connect(url: &str) -> Result<Self, ConnectError> {
        PostgresOptions::new().connect(url)
    }

    /// How many spans wait in the [spool](PostgresOptions::spool) for the server.
    pub fn spooled(&self) -> u64 {
        self.0.server.spool.as_ref().map_or(0, Spool::spans)
    }

    pub(crate) fn new(server: Arc<Server>, runtime: Runtime) -> Self {
        Self(Arc::new(Inner { server, runtime }))
    }

    /// Asks the server on its own thread, and waits for the answer.
    pub(crate) fn ask<T: Send + 'static, F>(
        &self,
        question: impl FnOnce(Arc<Server>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, SessionError>> + Send + 'static,
    {
        let answered = self.0.runtime.run(question(self.0.server.clone()));
        answered.unwrap_or(Err(SessionError::Panicked)).map_err(StoreError::failed)
    }

    pub(crate) fn query(
        &self,
        sql: impl Into<String>,
        values: OwnedValues,
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        let sql = sql.into();
        self.ask(|server| async move { server.query(&sql, &values).await })
    }

    /// Reads something that may be running, and says which of its writers live.
    ///
    /// A writer that ends lets go of its lock after its last words. So what is running is read again
    /// after the locks: then who held one was not done. Who held none may have come in between.
    pub(crate) fn with_writers<T>(
        &self,
        read: impl Fn() -> Result<Vec<T>, StoreError>,
        writer: impl Fn(&T) -> Option<i64>,
    ) -> Result<(Vec<T>, HashSet<i64>), StoreError> {
        let all = read()?;
        if !all.iter().any(|one| writer(one).is_some()) {
            return Ok((all, HashSet::new()));
        }
        let mut alive = self.held_locks()?;
        let all = read()?;
        if all.iter().filter_map(&writer).any(|writer| !alive.contains(&writer)) {
            alive.extend(self.held_locks()?);
        }
        Ok((all, alive))
    }

    fn held_locks(&self) -> Result<HashSet<i64>, StoreError> {
        let sql = "SELECT classid::bigint << 32 | objid::bigint FROM pg_locks
            WHERE locktype = 'advisory' AND objsubid = 1 AND granted
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let rows = self.query(sql, Vec::new())?;
        rows.iter().map(|row| row.try_get(0).map_err(StoreError::failed)).collect()
    }
}

impl Store for PostgresStore {
    fn put(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let rows = row::rows(batch, self.0.server.writer)?;
        self.ask(|server| async move { server.put(&rows).await })
    }

    fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError> {
        read::trace(self, run_id)
    }

    fn runs(&self, filter: &Filter) -> Result<Page, StoreError> {
        runs::page(self, filter)
    }

    fn stats(&self, query: &StatsQuery) -> Result<Stats, StoreError> {
        stats::stats(self, query)
    }

    fn paths(&self) -> Result<Vec<String>, StoreError> {
        stats::paths(self)
    }

    /// Days of which nothing is to stay go as a whole, other runs in several transactions. Bytes are
    /// counted as they were put, before the server makes them smaller.
    fn prune(&self, prune: &Prune) -> Result<Pruned, StoreError> {
        prune::prune(self, prune)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
