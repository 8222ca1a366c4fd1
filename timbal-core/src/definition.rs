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
    /// What `metadata(…)` says: keys, and values as JSON text.
    #[serde(skip)]
    pub(crate) metadata: &'static [(&'static str, &'static str)],
}

impl Definition {
    /// A runnable of this name, of which no more is known.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), ..Self::at("", ("", "", 0, 0), None, &[]) }
    }

    /// What `definition!` makes of the place where it stands.
    #[doc(hidden)]
    pub const fn at(
        name: &'static str,
        (module_path, file, line, column): (&'static str, &'static str, u32, u32),
        crate_version: Option<&'static str>,
        metadata: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            module_path: Cow::Borrowed(module_path),
            file: Cow::Borrowed(file),
            line,
            column,
            crate_version: match crate_version {
                Some(version) => Some(Cow::Borrowed(version)),
                None => None,
            },
            metadata,
        }
    }
}

/// The definition of the runnable that stands where the macro's tokens come from, as a static.
#[doc(hidden)]
#[macro_export]
macro_rules! definition {
    ($name:expr $(, $key:literal = $value:literal)* $(,)?) => {{
        static DEFINITION: $crate::__private::Definition = $crate::__private::Definition::at(
            $name,
            (::core::module_path!(), ::core::file!(), ::core::line!(), ::core::column!()),
            ::core::option_env!("CARGO_PKG_VERSION"),
            &[$(($key, $value)),*],
        );
        &DEFINITION
    }};
}
