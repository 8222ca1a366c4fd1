//! What an `Err(..)` is made of.

use syn::{Expr, ExprCall};

/// Whether it is an `Err(..)`.
pub(crate) fn is_err(call: &ExprCall) -> bool {
    let Expr::Path(path) = &*call.func else { return false };
    let mut names = path.path.segments.iter().rev().map(|segment| &segment.ident);
    let is_err = names.next().is_some_and(|name| name == "Err") && call.args.len() == 1;
    is_err && names.next().is_none_or(|name| name == "Result")
}

/// Whether an error comes from a variable: it was not made where it stands.
pub(crate) fn is_passed_on(expr: &Expr) -> bool {
    let is_lower = |name: String| name.starts_with(|c: char| c.is_lowercase() || c == '_');
    match expr {
        Expr::Path(it) => it.path.get_ident().is_some_and(|name| is_lower(name.to_string())),
        Expr::MethodCall(it) => is_passed_on(&it.receiver),
        Expr::Field(it) => is_passed_on(&it.base),
        Expr::Paren(it) => is_passed_on(&it.expr),
        Expr::Unary(it) => is_passed_on(&it.expr),
        Expr::Reference(it) => is_passed_on(&it.expr),
        Expr::Try(it) => is_passed_on(&it.expr),
        Expr::Await(it) => is_passed_on(&it.base),
        // `Box::new(error)`, `Error::from(error)`
        Expr::Call(it) => {
            let Expr::Path(function) = &*it.func else { return false };
            let name = function.path.segments.last().map(|last| &last.ident);
            let is_conversion = name.is_some_and(|name| name == "new" || name == "from");
            is_conversion && it.args.len() == 1 && it.args.iter().all(is_passed_on)
        }
        _ => false,
    }
}
