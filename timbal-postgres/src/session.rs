//! `Session`: one connection, with statements that are prepared once and never wait for ever.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::spool::Failure;

/// How sessions are opened.
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
    pub(crate) connect_timeout: Duration,
    pub(crate) statement_timeout: Duration,
}

/// The values of a statement.
pub(crate) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// One connection.
pub(crate) struct Session {
    client: Client,
    statements: HashMap<String, Statement>,
    limit: Duration,
    has_timed_out: bool,
    /// The days whose runs have a place, as far as this session knows.
    pub(crate) days: HashSet<i32>,
    pub(crate) has_lock: bool,
}

/// What a server that answers is given more than it was told to take: what it says itself is better.
const GRACE: Duration = Duration::from_secs(1);

impl Session {
    /// Opens a connection, and tells `ended` when it is gone.
    pub(crate) async fn open(
        settings: &Settings,
        ended: Arc<Notify>,
    ) -> Result<Self, SessionError> {
        let limit = settings.connect_timeout;
        let opened = time::timeout(limit, Self::open_at_last(settings, ended)).await;
        opened.unwrap_or(Err(SessionError::TimedOut(limit)))
    }

    async fn open_at_last(settings: &Settings, ended: Arc<Notify>) -> Result<Self, SessionError> {
        let (client, connection) = settings.config.connect(settings.tls.clone()).await?;
        tokio::spawn(async move {
            let _the_client_knows = connection.await;
            ended.notify_one();
        });
        // What was acknowledged is on the disk, also where the database is set up otherwise.
        let limit_ms = settings.statement_timeout.as_millis().clamp(1, i32::MAX as u128);
        let set_up = format!(
            "SET statement_timeout = {limit_ms}; SET lock_timeout = {limit_ms};
            SELECT set_config('synchronous_commit', 'on', false)
                WHERE current_setting('synchronous_commit') = 'off'"
        );
        client.batch_execute(&set_up).await?;
        Ok(Self {
            client,
            statements: HashMap::new(),
            limit: settings.statement_timeout + GRACE,
            has_timed_out: false,
            days: HashSet::new(),
            has_lock: false,
        })
    }

    /// Whether there is no use in asking again.
    pub(crate) fn is_over(&self) -> bool {
        self.has_timed_out || self.client.is_closed()
    }

    pub(crate) async fn query(
        &mut self,
        sql: &str,
        values: Values<'_>,
    ) -> Result<Vec<Row>, SessionError> {
        let statement = self.prepare(sql).await?;
        let limit = self.limit;
        let done = within(limit, self.client.query(&statement, values)).await;
        self.note(done)
    }

    pub(crate) async fn execute(
        &mut self,
        sql: &str,
        values: Values<'_>,
    ) -> Result<u64, SessionError> {
        let statement = self.prepare(sql).await?;
        let done = within(self.limit, self.client.execute(&statement, values)).await;
        self.note(done)
    }

    /// Runs statements that have no values.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), SessionError> {
        let done = within(self.limit, self.client.batch_execute(sql)).await;
        self.note(done)
    }

    /// Learns the form of the tables anew before the next statement.
    pub(crate) fn forget(&mut self) {
        self.client.clear_type_cache();
        self.statements.clear();
    }

    async fn prepare(&mut self, sql: &str) -> Result<Statement, SessionError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let prepared = within(self.limit, self.client.prepare(sql)).await;
        let statement = self.note(prepared)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn note<T>(&mut self, done: Result<T, SessionError>) -> Result<T, SessionError> {
        self.has_timed_out |= matches!(done, Err(SessionError::TimedOut(_)));
        done
    }
}

async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, SessionError> {
    match time::timeout(limit, asked).await {
        Ok(answered) => answered.map_err(SessionError::Postgres),
        Err(_) => Err(SessionError::TimedOut(limit)),
    }
}

/// What a session failed with.
#[derive(Debug)]
pub(crate) enum SessionError {
    Postgres(tokio_postgres::Error),
    TimedOut(Duration),
    NewerSchema {
        found: i32,
        known: i32,
    },
    /// The thread that talks to the server has panicked.
    Panicked,
    /// The file for what the server does not take failed.
    Spool(Failure),
}

impl SessionError {
    /// What the server said, by its code.
    pub(crate) fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Postgres(error) => error.code(),
            _ => None,
        }
    }

    /// Whether the server may answer later what it does not answer now.
    pub(crate) fn is_away(&self) -> bool {
        match self {
            Self::TimedOut(_) => true,
            Self::NewerSchema { .. } | Self::Panicked | Self::Spool(_) => false,
            Self::Postgres(error) => match error.code() {
                // Connections; too little of something; the server is about to stop, or to start.
                Some(code) => {
                    ["08", "53", "57P"].iter().any(|class| code.code().starts_with(class))
                }
                None => error.is_closed() || is_io(error),
            },
        }
    }

    /// Whether it is the password that is missing.
    pub(crate) fn is_password(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        error.source().is_some_and(|source| source.to_string() == "password missing")
    }
}

/// A handshake that fails is invalid data, and will be so next time.
fn is_io(error: &tokio_postgres::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() != io::ErrorKind::InvalidData)
        || error.to_string().starts_with("error connecting")
        || error.to_string().starts_with("timeout")
}

impl From<tokio_postgres::Error> for SessionError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(error) => match (error.as_db_error(), error.source()) {
                (Some(said), _) => write!(f, "{} ({})", said.message(), said.code().code()),
                (None, Some(source)) => write!(f, "{error}: {source}"),
                (None, None) => error.fmt(f),
            },
            Self::TimedOut(limit) => write!(f, "no answer within {limit:?}"),
            Self::NewerSchema { found, known } => {
                write!(f, "the tables have version {found}, and only {known} is known here")
            }
            Self::Panicked => f.write_str("the thread that talks to the server panicked"),
            Self::Spool(failure) => write!(f, "the spool file: {failure}"),
        }
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Postgres(error) => Some(error),
            Self::Spool(failure) => Some(&**failure),
            _ => None,
        }
    }
}
