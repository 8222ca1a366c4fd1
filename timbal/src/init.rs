//! `init`: a recorder by what the environment says.

use std::fmt;

use timbal_core::{Builder, Guard, InstallError, MemoryStore, Timbal};

/// Installs a recorder by what the environment says, until the guard is dropped.
///
/// | variable | values | unset |
/// | --- | --- | --- |
/// | `TIMBAL_STORE` | `memory`, `sqlite:FILE` or `sqlite://FILE` (feature `sqlite`), `postgres://…` (feature `postgres`) | `memory` |
/// | `TIMBAL_LOG` | `START`, `CHUNK`, `OUTPUT`, joined with `,` | nothing is logged |
/// | `TIMBAL_LOG_FORMAT` | `dev`, `json` | `dev` |
///
/// A variable that is empty counts as unset. The log is written to standard error.
///
/// # Errors
///
/// If a variable has another value, or one that needs a feature that is off; if the store cannot be
/// opened; if a recorder is installed already.
///
/// # Examples
///
/// ```
/// let guard = timbal::init()?;
/// assert_eq!(guard.timbal().health().lost, 0);
/// # Ok::<(), timbal::InitError>(())
/// ```
pub fn init() -> Result<Guard, InitError> {
    builder_from_env()?.build().install().map_err(InitError::Install)
}

/// What becomes the recorder that [`init`] installs: to add what the environment does not say.
///
/// # Errors
///
/// If a variable has a value that it cannot have, or the store cannot be opened.
///
/// # Examples
///
/// A store for where `TIMBAL_STORE` names none:
///
/// ```
/// let mut builder = timbal::builder_from_env()?;
/// if std::env::var_os("TIMBAL_STORE").is_none() {
///     builder = builder.store(timbal::MemoryStore::new().with_max_spans(1_000));
/// }
/// let _guard = builder.build().install()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn builder_from_env() -> Result<Builder, InitError> {
    let builder = store(Timbal::builder(), variable("TIMBAL_STORE")?)?;
    log(builder, variable("TIMBAL_LOG")?, variable("TIMBAL_LOG_FORMAT")?)
}

/// Why [`init`] could not install a recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitError {
    /// A variable of the environment has a value that it cannot have.
    #[non_exhaustive]
    Value {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What it can be.
        expected: &'static str,
    },
    /// A variable of the environment asks for what this build of the program does not have.
    #[non_exhaustive]
    Feature {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// The feature of the crate `timbal` that is off.
        feature: &'static str,
    },
    /// The store that a variable of the environment names cannot be opened.
    #[non_exhaustive]
    Store {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// Why not.
        message: String,
    },
    /// Another recorder is installed.
    Install(InstallError),
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { variable, value, expected } => {
                write!(f, "{variable} is {value:?}: expected {expected}")
            }
            Self::Feature { variable, value, feature } => {
                write!(
                    f,
                    "{variable} is {value:?}, which needs the feature `{feature}` of `timbal`"
                )
            }
            Self::Store { variable, value, message } => {
                write!(f, "{variable} is {value:?}: {message}")
            }
            Self::Install(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Install(error) => Some(error),
            Self::Value { .. } | Self::Feature { .. } | Self::Store { .. } => None,
        }
    }
}

fn variable(variable: &'static str) -> Result<Option<String>, InitError> {
    let Some(value) = std::env::var_os(variable) else { return Ok(None) };
    let value = value.into_string().map_err(|value| InitError::Value {
        variable,
        value: value.to_string_lossy().into_owned(),
        expected: "text in UTF-8",
    })?;
    Ok(Some(value).filter(|value| !value.is_empty()))
}

fn store(builder: Builder, value: Option<String>) -> Result<Builder, InitError> {
    let variable = "TIMBAL_STORE";
    let Some(value) = value else { return Ok(builder) };
    match value.split_once(':') {
        None if value == "memory" => Ok(builder.store(MemoryStore::new())),
        Some(("sqlite", file)) if !matches!(file, "" | "//") => sqlite(builder, variable, file),
        Some(("postgres" | "postgresql", _)) => postgres(builder, variable, &value),
        _ => {
            let value = without_password(&value); // it may be the URL of another kind of server
            let expected = "`memory`, `sqlite:FILE` or `postgres://…`";
            Err(InitError::Value { variable, value, expected })
        }
    }
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: Builder, variable: &'static str, file: &str) -> Result<Builder, InitError> {
    let value = format!("sqlite:{file}");
    Err(InitError::Feature { variable, value, feature: "sqlite" })
}

#[cfg(feature = "sqlite")]
fn sqlite(builder: Builder, variable: &'static str, file: &str) -> Result<Builder, InitError> {
    // Others write `sqlite://FILE`.
    match crate::SqliteStore::open(file.strip_prefix("//").unwrap_or(file)) {
        Ok(store) => Ok(builder.store(store)),
        Err(error) => {
            let (value, message) = (format!("sqlite:{file}"), error.to_string());
            Err(InitError::Store { variable, value, message })
        }
    }
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: Builder, variable: &'static str, url: &str) -> Result<Builder, InitError> {
    Err(InitError::Feature { variable, value: without_password(url), feature: "postgres" })
}

#[cfg(feature = "postgres")]
fn postgres(builder: Builder, variable: &'static str, url: &str) -> Result<Builder, InitError> {
    match crate::PostgresStore::connect(url) {
        Ok(store) => Ok(builder.store(store)),
        Err(error) => {
            let (value, message) = (without_password(url), error.to_string());
            Err(InitError::Store { variable, value, message })
        }
    }
}

/// A URL as it may be shown: neither with who logs in, nor with its parameters, which may say it too.
fn without_password(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(url, _)| url);
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://***@{place}"),
        _ => url.to_owned(),
    }
}

#[cfg(not(feature = "log"))]
fn log(
    builder: Builder,
    events: Option<String>,
    _format: Option<String>,
) -> Result<Builder, InitError> {
    match events {
        None => Ok(builder),
        Some(value) => Err(InitError::Feature { variable: "TIMBAL_LOG", value, feature: "log" }),
    }
}

#[cfg(feature = "log")]
fn log(
    builder: Builder,
    events: Option<String>,
    format: Option<String>,
) -> Result<Builder, InitError> {
    use crate::log::{EventKind, Log, LogFormat};

    let format = match format.as_deref() {
        None | Some("dev") => LogFormat::Dev,
        Some("json") => LogFormat::Json,
        Some(value) => {
            let (variable, expected) = ("TIMBAL_LOG_FORMAT", "`dev` or `json`");
            return Err(InitError::Value { variable, value: value.to_owned(), expected });
        }
    };
    let Some(value) = events else { return Ok(builder) };
    let mut kinds = Vec::new();
    for event in value.split(',').map(str::trim) {
        kinds.push(match event.to_ascii_uppercase().as_str() {
            "START" => EventKind::Start,
            "CHUNK" => EventKind::Chunk,
            "OUTPUT" => EventKind::Output,
            _ => {
                let expected = "`START`, `CHUNK` and `OUTPUT`, joined with `,`";
                return Err(InitError::Value { variable: "TIMBAL_LOG", value, expected });
            }
        });
    }
    Ok(builder.subscriber(Log::new().with_format(format).with_events(kinds)))
}
