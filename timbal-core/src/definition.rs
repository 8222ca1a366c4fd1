//! `Definition`: the runnable that is called, as its source says.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The runnable that a call is a call of: its name and where it stands in the source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Definition {
    /// The function's name, or what `name = "…"` says.
    pub name: Cow<'static, str>,
    /// The module that the function stands in, as `module_path!()` says.
    pub module_path: Cow<'static, str>,
    /// The source file, as `file!()` says.
    pub file: Cow<'static, str>,
    /// The line of the function's name, from 1.
    pub line: u32,
    /// The column of the function's name, from 1.
    pub column: u32,
    /// The version of the crate that the function stands in, where cargo built it.
    pub crate_version: Option<Cow<'static, str>>,
}

impl Definition {
    /// A runnable of this name, of which no more is known.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        let (module_path, file) = ("".into(), "".into());
        Self { name: name.into(), module_path, file, line: 0, column: 0, crate_version: None }
    }
}

/// A definition as its expansion writes it: a constant, which a build need not evaluate as it does
/// statics. What these are, `Definition` says.
#[doc(hidden)]
#[derive(Debug)]
pub struct Defined {
    pub name: &'static str,
    pub module_path: &'static str,
    pub file: &'static str,
    pub line: u32,
    pub column: u32,
    pub crate_version: Option<&'static str>,
    /// What `metadata(…)` says: keys, and values as JSON text.
    pub metadata: &'static [(&'static str, &'static str)],
}

impl From<&'static Defined> for Definition {
    fn from(defined: &'static Defined) -> Self {
        Self {
            name: defined.name.into(),
            module_path: defined.module_path.into(),
            file: defined.file.into(),
            line: defined.line,
            column: defined.column,
            crate_version: defined.crate_version.map(Cow::Borrowed),
        }
    }
}

/// The definition of the runnable that stands where the macro's tokens come from.
#[doc(hidden)]
#[macro_export]
macro_rules! definition {
    ($name:expr $(, $key:literal = $value:literal)* $(,)?) => {
        &$crate::__private::Defined {
            name: $name,
            module_path: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
            column: ::core::column!(),
            crate_version: ::core::option_env!("CARGO_PKG_VERSION"),
            metadata: &[$(($key, $value)),*],
        }
    };
}
