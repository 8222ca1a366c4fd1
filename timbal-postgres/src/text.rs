//! `Text`: a text as PostgreSQL keeps it, which is as bytes.

use std::error::Error;

use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// A text in a column of bytes: with NUL, and in whatever encoding the database has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text(pub(crate) String);

impl ToSql for Text {
    fn to_sql(
        &self,
        column: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.as_bytes().to_sql(column, out)
    }

    fn accepts(column: &Type) -> bool {
        *column == Type::BYTEA
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Text {
    fn from_sql(_: &Type, bytes: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(str::from_utf8(bytes)?.to_owned()))
    }

    fn accepts(column: &Type) -> bool {
        *column == Type::BYTEA
    }
}
