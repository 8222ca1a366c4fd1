//! `Shape`: what a body returns, read from the return type as it is written.

use syn::{
    AngleBracketedGenericArguments, GenericArgument, Path, PathArguments, PathSegment, ReturnType,
    Signature, Type, TypeParamBound,
};

/// What a body returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Value,
    Future,
    Stream,
    Iterator,
}

/// How the function says what it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `async fn -> T`, or `async fn -> impl Stream`.
    Async,
    /// `fn -> impl Trait`.
    Opaque,
    /// `fn -> T`: a type that stays as it is.
    Named,
    /// By what its body yields.
    Generator,
}

/// The return type, as far as it says what is recorded.
pub(crate) struct Returned<'a> {
    pub(crate) shape: Shape,
    pub(crate) form: Form,
    /// The type of what is captured: the value that a call gives, or each of its items. `None` where
    /// it is not written.
    pub(crate) captured: Option<&'a Type>,
}

impl<'a> Returned<'a> {
    pub(crate) fn new(signature: &'a Signature) -> Self {
        let is_async = signature.asyncness.is_some();
        let plain =
            if is_async { (Shape::Future, Form::Async) } else { (Shape::Value, Form::Named) };
        let ReturnType::Type(_, ty) = &signature.output else {
            return Self { shape: plain.0, form: plain.1, captured: None };
        };
        let found = match plain_type(ty) {
            Type::ImplTrait(written) => bounds(&written.bounds).map(|it| (Form::Opaque, it)),
            ty => boxed(ty).map(|it| (Form::Named, it)),
        };
        match found {
            Some((Form::Opaque, (Shape::Stream, captured))) if is_async => {
                Self { shape: Shape::Stream, form: Form::Async, captured }
            }
            Some((form, (shape, captured))) if !is_async => Self { shape, form, captured },
            _ => Self { shape: plain.0, form: plain.1, captured: Some(ty) },
        }
    }
}

impl<'a> Returned<'a> {
    /// What is returned in the end by a body that yields.
    pub(crate) fn by_generator(signature: &'a Signature) -> Self {
        let is_async = signature.asyncness.is_some();
        let shape = if is_async { Shape::Stream } else { Shape::Iterator };
        let captured = match &signature.output {
            ReturnType::Type(_, ty) => Some(&**ty),
            ReturnType::Default => None,
        };
        Self { shape, form: Form::Generator, captured }
    }
}

/// What `Future<Output = T> + Send` is, and its `T`.
fn bounds<'a>(
    bounds: impl IntoIterator<Item = &'a TypeParamBound>,
) -> Option<(Shape, Option<&'a Type>)> {
    let mut found = None;
    for bound in bounds {
        let TypeParamBound::Trait(bound) = bound else { continue };
        let Some(last) = bound.path.segments.last() else { continue };
        let Some(shape) = shape_of(last) else { continue };
        let key = if shape == Shape::Future { "Output" } else { "Item" };
        let named = arguments(last).into_iter().flat_map(|it| &it.args);
        let captured = named.into_iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == key => Some(&assoc.ty),
            _ => None,
        });
        // Of `ExactSizeIterator + Iterator<Item = T>` only one names its items.
        if captured.is_some() || found.is_none() {
            found = Some((shape, captured));
        }
    }
    found
}

/// The type without what stands around it: `macro_rules!` hands over a `$t:ty` in a group of its own.
pub(crate) fn plain_type(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(parentheses) => &parentheses.elem,
            _ => return ty,
        }
    }
}

/// The shape of a type that implements this trait.
pub(crate) fn shape_of(last: &PathSegment) -> Option<Shape> {
    match last.ident.to_string().as_str() {
        "Future" => Some(Shape::Future),
        "Stream" => Some(Shape::Stream),
        "Iterator" | "DoubleEndedIterator" | "ExactSizeIterator" | "FusedIterator" => {
            Some(Shape::Iterator)
        }
        _ => None,
    }
}

/// What `Pin<Box<dyn Future<Output = T>>>`, `BoxFuture<'_, T>`, `Box<dyn Future<Output = T> + Unpin>`
/// and the like are.
fn boxed(ty: &Type) -> Option<(Shape, Option<&Type>)> {
    let Type::Path(ty) = plain_type(ty) else { return None };
    let last = ty.path.segments.last()?;
    match last.ident.to_string().as_str() {
        "BoxFuture" | "LocalBoxFuture" => Some((Shape::Future, first_type(&ty.path))),
        "BoxStream" | "LocalBoxStream" => Some((Shape::Stream, first_type(&ty.path))),
        "Pin" => {
            let found = in_box(first_type(&ty.path)?)?;
            matches!(found.0, Shape::Future | Shape::Stream).then_some(found)
        }
        "Box" => in_box_path(&ty.path),
        _ => None,
    }
}

fn in_box(ty: &Type) -> Option<(Shape, Option<&Type>)> {
    let Type::Path(path) = plain_type(ty) else { return None };
    in_box_path(&path.path).filter(|_| is_box(ty))
}

/// Whether it is a `Box<..>`, and not a `Pin` of one.
pub(crate) fn is_box(ty: &Type) -> bool {
    match plain_type(ty) {
        Type::Path(ty) => ty.path.segments.last().is_some_and(|last| last.ident == "Box"),
        _ => false,
    }
}

fn in_box_path(path: &Path) -> Option<(Shape, Option<&Type>)> {
    match plain_type(first_type(path)?) {
        Type::TraitObject(object) => bounds(&object.bounds),
        _ => None,
    }
}

/// The `R` of a `Result<R, E>` or an alias of one.
pub(crate) fn first_argument(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Path(ty) => first_type(&ty.path),
        _ => None,
    }
}

/// The first type in the angle brackets of a path's end.
fn first_type(path: &Path) -> Option<&Type> {
    arguments(path.segments.last()?)?.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn arguments(segment: &PathSegment) -> Option<&AngleBracketedGenericArguments> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(arguments),
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    }
}
