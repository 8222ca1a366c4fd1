//! A PostgreSQL database to test with: that of `TIMBAL_TEST_POSTGRES`, in a schema that goes with the
//! test.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use timbal::PostgresStore;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// A schema of a test's own, which is dropped with this.
pub struct Scratch {
    base: String,
    schema: String,
}

/// The URL of the database to test with. Where there is none the test says that it is skipped.
pub fn base_url() -> Option<String> {
    let url = std::env::var("TIMBAL_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        let test = std::thread::current();
        println!("skipped, as TIMBAL_TEST_POSTGRES is not set: {}", test.name().unwrap_or("?"));
    }
    url
}

impl Scratch {
    /// A new one, where there is a database.
    pub fn new() -> Option<Self> {
        base_url().map(Self::at)
    }

    /// A new one in this database.
    pub fn at(base: String) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let schema = format!("timbal_{}_{number}", std::process::id());
        query(&base, &format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"));
        Self { base, schema }
    }

    /// The URL of the database, with this schema.
    pub fn url(&self) -> String {
        with_parameter(&self.base, &format!("options=-csearch_path%3D{}", self.schema))
    }

    /// The name of the schema.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// A store there, which keeps the schema.
    pub fn store(self) -> ScratchStore {
        let store = PostgresStore::connect(&self.url()).unwrap();
        ScratchStore { store, scratch: self }
    }

    /// What the database answers in this schema: the first column of each row.
    pub fn query(&self, sql: &str) -> Vec<String> {
        query(&self.url(), sql)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        query(&self.base, &format!("DROP SCHEMA {} CASCADE", self.schema));
    }
}

/// A store, and its schema.
pub struct ScratchStore {
    store: PostgresStore,
    /// The schema.
    pub scratch: Scratch,
}

impl Deref for ScratchStore {
    type Target = PostgresStore;

    fn deref(&self) -> &PostgresStore {
        &self.store
    }
}

/// A URL with one more parameter.
pub fn with_parameter(url: &str, parameter: &str) -> String {
    format!("{url}{}{parameter}", if url.contains('?') { '&' } else { '?' })
}

/// What a database answers: the first column of each row.
pub fn query(url: &str, sql: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let rows = client.simple_query(sql).await.unwrap();
        drop(client);
        let _closed = connection.await;
        rows
    });
    let first = |row| match row {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    };
    rows.into_iter().filter_map(first).collect()
}

/// A transaction that is open, until this is dropped.
pub struct Open {
    runtime: tokio::runtime::Runtime,
    client: Option<tokio_postgres::Client>,
}

impl Open {
    /// Begins one, and does this in it.
    pub fn new(url: &str, sql: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(&format!("BEGIN; {sql}")).await.unwrap();
            client
        });
        Self { runtime, client: Some(client) }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let client = self.client.take();
        let _if_the_server_lives = self.runtime.block_on(async {
            match &client {
                Some(client) => client.batch_execute("ROLLBACK").await,
                None => Ok(()),
            }
        });
    }
}
