//! `Path`: the name of a call and of those above it, joined only when it is read.

use std::sync::Arc;

use crate::Definition;

/// The name of a call, linked to the names above it.
#[derive(Clone)]
pub(crate) struct Path {
    pub(crate) definition: &'static Definition,
    /// The name, where it is not the definition's.
    pub(crate) name: Option<Arc<String>>,
    /// The path of the call that made it.
    pub(crate) above: Option<Arc<Path>>,
}

impl Path {
    fn name(&self) -> &str {
        self.name.as_deref().map_or(&*self.definition.name, String::as_str)
    }

    /// The names from the root down, joined with `.`.
    pub(crate) fn join(&self) -> String {
        let line = std::iter::successors(Some(self), |path| path.above.as_deref());
        let mut names: Vec<&str> = line.map(Self::name).collect();
        names.reverse();
        names.join(".")
    }

    /// The runnable, by the name that it was called by.
    pub(crate) fn definition(&self) -> Definition {
        let mut definition = self.definition.clone();
        if let Some(name) = &self.name {
            definition.name = String::clone(name).into();
        }
        definition
    }
}
