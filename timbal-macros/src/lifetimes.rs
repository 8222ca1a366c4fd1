//! `Lifetimes`: those of a signature, by name, so that a type can say that it outlives none of them.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    FnArg, GenericParam, Lifetime, LifetimeParam, Receiver, ReceiverKind, Signature, TraitBound,
    TypeFnPtr, TypeImplTrait, TypeParam, TypeParamBound, TypeReference, WherePredicate,
    parse_quote,
};

/// The lifetime that every lifetime and type of the signature outlives.
pub(crate) fn shortest() -> Lifetime {
    Lifetime::new("'timbal_call", Span::mixed_site())
}

/// Names the lifetimes that are not named, and asks of all of them, and of all types, that they
/// outlive [`shortest`]. Those in the return type are what the rules of elision say.
pub(crate) fn name(signature: &mut Signature) {
    let mut names = Names { elided: Vec::new(), named: 0, of_output: None };
    for input in &mut signature.inputs {
        match input {
            FnArg::Receiver(receiver) => names.name_receiver(receiver),
            FnArg::Typed(typed) => names.visit_type_mut(&mut typed.ty),
        }
    }
    let Names { elided, named, of_output } = names;
    let only = if named == 0 && elided.len() == 1 { elided.first().cloned() } else { None };
    if let Some(lifetime) = of_output.or(only) {
        Replace(lifetime).visit_return_type_mut(&mut signature.output);
    }
    bound(signature, elided);
}

/// Whether the parameters borrow what the return type does not name.
pub(crate) fn are_left_behind(signature: &Signature) -> bool {
    let mut signature = signature.clone();
    name(&mut signature);
    let [mut inputs, mut output] = [Named::default(), Named::default()];
    signature.inputs.iter().for_each(|input| inputs.visit_fn_arg(input));
    output.visit_return_type(&signature.output);
    inputs.0.iter().any(|it| !output.0.contains(it))
}

/// The lifetimes that are named outside of `for<…>` and of `Fn(…)`, which are not those of a borrow.
#[derive(Default)]
struct Named(Vec<Lifetime>);

impl<'a> Visit<'a> for Named {
    fn visit_lifetime(&mut self, lifetime: &'a Lifetime) {
        if lifetime.ident != "static" && *lifetime != shortest() {
            self.0.push(lifetime.clone());
        }
    }

    fn visit_trait_bound(&mut self, bound: &'a TraitBound) {
        if bound.lifetimes.is_none() {
            visit::visit_trait_bound(self, bound);
        }
    }

    fn visit_type_fn_ptr(&mut self, _: &'a TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &'a syn::ParenthesizedGenericArguments) {
    }
}

fn bound(signature: &mut Signature, elided: Vec<Lifetime>) {
    let shortest = shortest();
    let mut predicates: Vec<WherePredicate> = Vec::new();
    if signature.receiver().is_some() {
        predicates.push(parse_quote!(Self: #shortest));
    }
    // With the bounds that are there: clippy has an eye on those of one name in two places.
    for parameter in &mut signature.generics.params {
        match parameter {
            GenericParam::Lifetime(LifetimeParam { lifetime, bounds, .. }) => {
                match bounds.is_empty() {
                    true => predicates.push(parse_quote!(#lifetime: #shortest)),
                    false => bounds.push(shortest.clone()),
                }
            }
            GenericParam::Type(TypeParam { ident, bounds, .. }) => match bounds.is_empty() {
                true => predicates.push(parse_quote!(#ident: #shortest)),
                false => bounds.push(TypeParamBound::Lifetime(shortest.clone())),
            },
            GenericParam::Const(_) => {}
        }
    }
    predicates.extend(elided.iter().map(|it| -> WherePredicate { parse_quote!(#it: #shortest) }));
    let parameters = elided.into_iter().chain([shortest]);
    let parameters = parameters.map(|it| GenericParam::Lifetime(LifetimeParam::new(it)));
    for (at, parameter) in parameters.enumerate() {
        signature.generics.params.insert(at, parameter);
    }
    signature.generics.make_where_clause().predicates.extend(predicates);
}

struct Names {
    elided: Vec<Lifetime>,
    /// How often a lifetime is written.
    named: usize,
    /// That of a `&self`.
    of_output: Option<Lifetime>,
}

impl Names {
    fn next(&mut self) -> Lifetime {
        let lifetime = format!("'timbal_{}", self.elided.len());
        self.elided.push(Lifetime::new(&lifetime, Span::mixed_site()));
        self.elided[self.elided.len() - 1].clone()
    }

    fn name_receiver(&mut self, receiver: &mut Receiver) {
        match &mut receiver.kind {
            ReceiverKind::Reference(_, lifetime, _) => {
                let lifetime = lifetime.get_or_insert_with(|| self.next());
                self.of_output = Some(lifetime.clone());
            }
            ReceiverKind::Typed(_, ty) => {
                self.visit_type_mut(ty);
                let mut named = Named::default();
                named.visit_type(ty);
                self.of_output = named.0.into_iter().next();
            }
            _ => {}
        }
    }
}

impl VisitMut for Names {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(self.next());
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.next();
        } else if !lifetime.ident.to_string().starts_with("timbal_") {
            self.named += 1;
        }
    }

    fn visit_type_impl_trait_mut(&mut self, hidden: &mut TypeImplTrait) {
        visit_mut::visit_type_impl_trait_mut(self, hidden);
        hidden.bounds.push(TypeParamBound::Lifetime(shortest()));
    }

    // What is elided in these is theirs.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments_mut(
        &mut self,
        _: &mut syn::ParenthesizedGenericArguments,
    ) {
    }
}

/// Puts a name where none is written.
struct Replace(Lifetime);

impl VisitMut for Replace {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime.get_or_insert_with(|| self.0.clone());
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.0.clone();
        }
    }

    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments_mut(
        &mut self,
        _: &mut syn::ParenthesizedGenericArguments,
    ) {
    }
}
