//! `PostgresOptions`: how a store is connected to its server.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Config;

use crate::runtime::Runtime;
use crate::server::Server;
use crate::session::{SessionError, Settings};
use crate::spool::Spool;
use crate::{ConnectError, PostgresStore, tls};

/// How a store is connected to its server.
///
/// # Examples
///
/// ```no_run
/// // It needs a server.
/// use std::time::Duration;
/// use timbal_postgres::PostgresOptions;
///
/// let options = PostgresOptions::new().statement_timeout(Duration::from_secs(5));
/// let store = options.connect("postgres://me@localhost/traces?sslmode=require")?;
/// # drop(store);
/// # Ok::<(), timbal_postgres::ConnectError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    connect_timeout: Duration,
    statement_timeout: Duration,
    spool: Option<PathBuf>,
}

impl PostgresOptions {
    /// A server is given ten seconds to let a connection in, and thirty for each statement.
    pub fn new() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            spool: None,
        }
    }

    /// Gives the server so long to let a connection in.
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Gives the server so long for each statement, before what needs it has failed. A recorder tries
    /// again then.
    #[must_use]
    pub fn statement_timeout(self, statement_timeout: Duration) -> Self {
        Self { statement_timeout, ..self }
    }

    /// Keeps in this file what the server does not take, and brings it there later, in order, also
    /// when the process was started anew. What is in the file counts as kept. It takes what the
    /// server refuses, too: [`PostgresStore::spooled`] says how much waits.
    ///
    /// With a spool a store can be had while nobody answers. The file, in SQLite's form, is made for
    /// its owner only, and is one process's at a time.
    #[must_use]
    pub fn spool(self, path: impl Into<PathBuf>) -> Self {
        Self { spool: Some(path.into()), ..self }
    }

    /// Connects to the database that a URL names, and makes the tables there if there are none.
    ///
    /// # Errors
    ///
    /// As of [`PostgresStore::connect`].
    pub fn connect(&self, url: &str) -> Result<PostgresStore, ConnectError> {
        let settings = self.settings(url)?;
        let spool = self.spool.as_deref().map(Spool::open).transpose();
        let spool = spool.map_err(|source| ConnectError::Spool { source })?;
        let server = Arc::new(Server::new(settings, new_writer(), spool));
        let runtime = Runtime::start().map_err(ConnectError::failed)?;
        let connecting = server.clone();
        let connected = runtime.run(async move { connecting.connect().await });
        match connected.unwrap_or(Err(SessionError::Panicked)) {
            Err(error) if error.is_away() && server.spool.is_some() => {}
            connected => connected?,
        }
        if server.has_spooled() {
            server.wake();
        }
        runtime.spawn(Server::keep(Arc::downgrade(&server)));
        Ok(PostgresStore::new(server, runtime))
    }

    fn settings(&self, url: &str) -> Result<Settings, ConnectError> {
        let (url, proof) = tls::split(url)?;
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            ConnectError::url(source.unwrap_or_else(|| error.to_string()))
        })?;
        if config.get_application_name().is_none() {
            config.application_name("timbal");
        }
        let tls = tls::connector(&proof)?;
        let Self { connect_timeout, statement_timeout, .. } = *self;
        Ok(Settings { config, tls, connect_timeout, statement_timeout })
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A number that no other writer has.
fn new_writer() -> i64 {
    RandomState::new().hash_one(std::process::id()) as i64 // of random keys
}
