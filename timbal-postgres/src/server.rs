//! `Server`: the sessions of a store, opened again when they are gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use crate::row::{COLUMNS, Row};
use crate::session::{Session, SessionError, Settings};
use crate::spool::Spool;
use crate::{partition, schema};

/// What a store knows of its server.
pub(crate) struct Server {
    settings: Settings,
    /// Names this writer's advisory lock in running spans.
    pub(crate) writer: i64,
    /// Whether running spans were put, whose lock has to be held from then on.
    is_locked: AtomicBool,
    write: Mutex<Option<Session>>,
    read: Mutex<Option<Session>>,
    /// Told when the session that writes is gone, or something is in the spool.
    wake: Arc<Notify>,
    pub(crate) spool: Option<Spool>,
    /// Held by who brings the spool to the server.
    draining: Mutex<()>,
}

/// How long a connection that is gone is waited with before the next try: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(5));

/// Values that outlive who asked.
pub(crate) type OwnedValues = Vec<Box<dyn ToSql + Send + Sync>>;

/// A running span never replaces one that has ended: it may come late, from a connection that was
/// given up.
static PUT: LazyLock<String> = LazyLock::new(|| {
    let names = COLUMNS.join(", ");
    let replaced = COLUMNS.iter().map(|&name| match name {
        "is_head" => "is_head = timbal_spans.is_head OR excluded.is_head".to_owned(),
        _ => format!("{name} = excluded.{name}"),
    });
    let replaced = replaced.collect::<Vec<_>>().join(", ");
    format!(
        "INSERT INTO timbal_spans ({names}) SELECT {names} FROM unnest($1::timbal_spans[])
        ON CONFLICT (run_id, call_id) DO UPDATE SET {replaced}
        WHERE excluded.status <> 'running' OR timbal_spans.status = 'running'"
    )
});

impl Server {
    pub(crate) fn new(settings: Settings, writer: i64, spool: Option<Spool>) -> Self {
        Self {
            settings,
            writer,
            is_locked: AtomicBool::new(false),
            write: Mutex::default(),
            read: Mutex::default(),
            wake: Arc::default(),
            spool,
            draining: Mutex::default(),
        }
    }

    /// Opens the session that writes, and makes the tables, if that has not been done.
    pub(crate) async fn connect(&self) -> Result<(), SessionError> {
        self.writing(&mut *self.write.lock().await).await.map(drop)
    }

    /// Whether there is something in the spool, and somebody to bring it to the server.
    pub(crate) fn has_spooled(&self) -> bool {
        self.spool.as_ref().is_some_and(|spool| spool.spans() > 0)
    }

    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Puts all of these rows, or none: to the server, or else into the spool.
    pub(crate) async fn put(&self, rows: &[Row]) -> Result<(), SessionError> {
        if rows.iter().any(|row| row.writer == Some(self.writer)) {
            self.is_locked.store(true, Ordering::Relaxed);
        }
        let Some(spool) = &self.spool else { return self.put_now(rows).await };
        let is_behind = spool.push_behind(rows).map_err(SessionError::Spool)?;
        if !is_behind && self.put_now(rows).await.is_err() {
            spool.push(rows).map_err(SessionError::Spool)?;
            self.wake();
        }
        Ok(())
    }

    async fn put_now(&self, rows: &[Row]) -> Result<(), SessionError> {
        let mut slot = self.write.lock().await;
        let session = self.writing(&mut slot).await?;
        partition::ensure(session, rows).await?;
        let put = match session.execute(&PUT, &[&rows]).await {
            // Another process has given the table more columns.
            Err(error) if error.code() == Some(&SqlState::DATATYPE_MISMATCH) => {
                session.forget();
                session.execute(&PUT, &[&rows]).await
            }
            put => put,
        };
        put.map(drop)
    }

    /// Brings to the server what is in the spool, in order.
    pub(crate) async fn drain(&self) -> Result<(), SessionError> {
        let Some(spool) = &self.spool else { return Ok(()) };
        let _alone = self.draining.lock().await;
        while let Some((id, rows)) = spool.first().map_err(SessionError::Spool)? {
            self.put_now(&rows).await?;
            spool.remove(id, rows.len()).map_err(SessionError::Spool)?;
        }
        Ok(())
    }

    async fn catch_up(&self) -> Result<(), SessionError> {
        if self.is_locked.load(Ordering::Relaxed) {
            self.connect().await?;
        }
        self.drain().await
    }

    /// Asks what only reads.
    pub(crate) async fn query(
        &self,
        sql: &str,
        values: &OwnedValues,
    ) -> Result<Vec<tokio_postgres::Row>, SessionError> {
        if self.has_spooled() {
            self.drain().await?; // what was put is seen
        }
        let mut slot = self.read.lock().await;
        let session = self.reading(&mut slot).await?;
        let values: Vec<&(dyn ToSql + Sync)> =
            values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        session.query(sql, &values).await
    }

    async fn writing<'a>(
        &self,
        slot: &'a mut Option<Session>,
    ) -> Result<&'a mut Session, SessionError> {
        if slot.as_ref().is_none_or(Session::is_over) {
            *slot = None;
            let mut session = Session::open(&self.settings, self.wake.clone()).await?;
            schema::prepare(&mut session).await?;
            *slot = Some(session);
        }
        let session = slot.as_mut().expect("it was put there if it was missing");
        if self.is_locked.load(Ordering::Relaxed) && !session.has_lock {
            session.execute("SELECT pg_advisory_lock($1)", &[&self.writer]).await?;
            session.has_lock = true;
        }
        Ok(session)
    }

    pub(crate) async fn reading<'a>(
        &self,
        slot: &'a mut Option<Session>,
    ) -> Result<&'a mut Session, SessionError> {
        if slot.as_ref().is_none_or(Session::is_over) {
            *slot = None;
            *slot = Some(Session::open(&self.settings, Arc::default()).await?);
        }
        Ok(slot.as_mut().expect("it was put there if it was missing"))
    }

    /// The session that reads, for more than one statement.
    pub(crate) async fn reader(&self) -> tokio::sync::MutexGuard<'_, Option<Session>> {
        self.read.lock().await
    }

    /// Holds the lock of running spans again when its connection is gone: without it they would be
    /// taken for interrupted, until something is put. Brings to the server what is in the spool.
    pub(crate) async fn keep(server: Weak<Self>) {
        loop {
            let Some(wake) = server.upgrade().map(|server| server.wake.clone()) else { return };
            wake.notified().await;
            let mut pause = PAUSES.0;
            loop {
                let Some(server) = server.upgrade() else { return };
                if server.catch_up().await.is_ok() {
                    break;
                }
                drop(server);
                time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}
