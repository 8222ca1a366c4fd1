//! `ConnectError`: why a store cannot be had.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use tokio_postgres::error::SqlState;

use crate::session::SessionError;

/// Why a store could not be connected to its database. None of them says the password.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL cannot be read, or asks for what is not known here.
    #[non_exhaustive]
    Url {
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file that `sslrootcert` in the URL names cannot be read, or has no certificates in PEM's
    /// form.
    #[non_exhaustive]
    Authorities {
        /// Its name.
        file: PathBuf,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nobody answers there, or not in time.
    #[non_exhaustive]
    Unreachable {
        /// What was said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server does not let this user in: the password is wrong or missing, or there is no such user.
    #[non_exhaustive]
    Login {
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server has no such database.
    #[non_exhaustive]
    NoDatabase {
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The user may not do what a store does: to make its tables, or to use them.
    #[non_exhaustive]
    NotAllowed {
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The tables were made by a later version of this crate.
    #[non_exhaustive]
    NewerSchema {
        /// The version of their form.
        found: i32,
        /// The latest version that is known here.
        known: i32,
    },
    /// The spool file cannot be used: it is something else, or another process has it open.
    #[non_exhaustive]
    Spool {
        /// What was said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It failed for another reason.
    #[non_exhaustive]
    Failed {
        /// What was said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ConnectError {
    pub(crate) fn url(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Url { source: source.into() }
    }

    pub(crate) fn failed(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed { source: source.into() }
    }
}

impl From<SessionError> for ConnectError {
    fn from(error: SessionError) -> Self {
        if let SessionError::NewerSchema { found, known } = error {
            return Self::NewerSchema { found, known };
        }
        let (code, is_away) = (error.code().cloned(), error.is_away());
        let is_password = error.is_password();
        let source = error.into();
        if is_password {
            return Self::Login { source };
        }
        let Some(code) = code else {
            return if is_away { Self::Unreachable { source } } else { Self::Failed { source } };
        };
        match code {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                Self::Login { source }
            }
            SqlState::INVALID_CATALOG_NAME => Self::NoDatabase { source },
            SqlState::INSUFFICIENT_PRIVILEGE => Self::NotAllowed { source },
            _ if is_away => Self::Unreachable { source },
            _ => Self::Failed { source },
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { source } => write!(f, "the URL cannot be used: {source}"),
            Self::Authorities { file, source } => {
                write!(f, "the authorities in `{}` cannot be read: {source}", file.display())
            }
            Self::Unreachable { source } => write!(f, "the server does not answer: {source}"),
            Self::Login { source } => write!(f, "the server does not let the user in: {source}"),
            Self::NoDatabase { source } => write!(f, "there is no such database: {source}"),
            Self::NotAllowed { source } => {
                write!(f, "the user may not make or use the tables: {source}")
            }
            Self::NewerSchema { found, known } => write!(
                f,
                "the tables have version {found}, and this version of timbal knows only {known}"
            ),
            Self::Spool { source } => write!(f, "the spool file cannot be used: {source}"),
            Self::Failed { source } => source.fmt(f),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Url { source }
            | Self::Authorities { source, .. }
            | Self::Unreachable { source }
            | Self::Login { source }
            | Self::NoDatabase { source }
            | Self::NotAllowed { source }
            | Self::Spool { source }
            | Self::Failed { source } => Some(&**source),
            Self::NewerSchema { .. } => None,
        }
    }
}
