//! The name of a type as a user would write it: `std::io::Error`.

use std::error::Error;

use crate::{CallError, EarlyExit};

/// What a user writes without a path.
const PRELUDE: [&str; 7] = [
    "alloc::boxed::Box",
    "alloc::string::String",
    "alloc::vec::Vec",
    "core::marker::Send",
    "core::marker::Sync",
    "core::option::Option",
    "core::result::Result",
];

/// The modules of `std` whose types have no shorter path.
const DEEP: [&str; 3] = ["os::", "sync::atomic::", "sync::mpsc::"];

/// The name of `T`, by the path that a user would write.
///
/// `std::any::type_name` gives the path of the definition, through modules that are private:
/// `std::io::error::Error`, `alloc::boxed::Box<dyn core::error::Error>`.
pub(crate) fn type_name<T: ?Sized>() -> String {
    rewrite(std::any::type_name::<T>())
}

/// The name of the type of an error of which only that is known, if it is one of those that most errors
/// come from; otherwise `dyn Error`.
pub(crate) fn type_name_of(error: &(dyn Error + 'static)) -> String {
    macro_rules! first_of {
        ($($ty:ty),* $(,)?) => {
            match error {
                $(error if error.is::<$ty>() => type_name::<$ty>(),)*
                _ => "dyn Error".to_owned(),
            }
        };
    }
    first_of!(
        std::io::Error,
        std::fmt::Error,
        std::num::ParseIntError,
        std::num::ParseFloatError,
        std::num::TryFromIntError,
        std::str::ParseBoolError,
        std::char::ParseCharError,
        std::str::Utf8Error,
        std::string::FromUtf8Error,
        std::net::AddrParseError,
        std::env::VarError,
        std::time::SystemTimeError,
        std::sync::mpsc::RecvError,
        serde_json::Error,
        CallError,
        EarlyExit,
    )
}

/// Rewrites each path; what stands between two of them (`Box<dyn …>`) stays as it is.
fn rewrite(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find(is_in_path) {
        let (between, tail) = rest.split_at(start);
        let (path, tail) = tail.split_at(tail.find(|c| !is_in_path(c)).unwrap_or(tail.len()));
        text += between;
        text += &rewrite_path(path);
        rest = tail;
    }
    text + rest
}

fn is_in_path(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == ':'
}

/// Nearly all of `std` has a path of one module, and another crate's `error::Error` is its `Error`.
fn rewrite_path(path: &str) -> String {
    let roots = ["core::", "alloc::", "std::"];
    let Some(inside) = roots.iter().find_map(|root| path.strip_prefix(root)) else {
        return match (path.rsplit_once("::"), path.strip_suffix("::error::Error")) {
            (Some((_, name)), _) if path.starts_with("timbal_core::") => format!("timbal::{name}"),
            (_, Some(root)) => format!("{root}::Error"),
            _ => path.into(),
        };
    };
    match (inside.split_once("::"), inside.rsplit_once("::")) {
        (_, Some((_, name))) if PRELUDE.contains(&path) => name.into(),
        _ if DEEP.iter().any(|module| inside.starts_with(module)) => format!("std::{inside}"),
        (Some((module, _)), Some((_, name))) => format!("std::{module}::{name}"),
        _ => format!("std::{inside}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_users_write_them() {
        let cases = [
            (type_name::<std::io::Error>(), "std::io::Error"),
            (type_name::<std::num::ParseIntError>(), "std::num::ParseIntError"),
            (type_name::<std::str::Utf8Error>(), "std::str::Utf8Error"),
            (type_name::<std::string::FromUtf8Error>(), "std::string::FromUtf8Error"),
            (type_name::<std::sync::mpsc::RecvError>(), "std::sync::mpsc::RecvError"),
            (type_name::<std::fmt::Error>(), "std::fmt::Error"),
            (type_name::<serde_json::Error>(), "serde_json::Error"),
            (type_name::<Box<dyn Error>>(), "Box<dyn std::error::Error>"),
            (type_name::<Box<dyn Error + Send>>(), "Box<dyn std::error::Error + Send>"),
            (type_name::<Result<Vec<String>, [u8; 4]>>(), "Result<Vec<String>, [u8; 4]>"),
            (type_name::<&str>(), "&str"),
            (type_name::<crate::CallError>(), "timbal::CallError"),
        ];
        for (name, expected) in cases {
            assert_eq!(name, expected);
        }
    }
    #[test]
    fn errors_that_most_errors_come_from_are_known() {
        let number = "x".parse::<u8>().unwrap_err();
        assert_eq!(type_name_of(&number), "std::num::ParseIntError");
        let io = std::io::Error::other("failed");
        assert_eq!(type_name_of(&io), "std::io::Error");
        assert_eq!(type_name_of(&EarlyExit::new("enough")), "timbal::EarlyExit");
        let unknown = Box::<dyn Error>::from("text");
        assert_eq!(type_name_of(&*unknown), "dyn Error");
    }
}
