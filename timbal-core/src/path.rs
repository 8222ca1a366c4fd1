//! `Path`: the name of a call and of what is above it, joined only when it is read.

use std::sync::Arc;

use crate::definition::Defined;
use crate::{CallId, Definition, RunId, StartEvent};

/// The name of a call, linked to what is above it.
#[derive(Clone)]
pub(crate) struct Path {
    pub(crate) definition: &'static Defined,
    /// The name, where it is not the definition's.
    pub(crate) name: Option<Arc<String>>,
    /// `None` of a root that goes on from nothing.
    pub(crate) above: Option<Arc<Above>>,
}

/// What is above a call: the same of all that one call made, so they share it.
pub(crate) struct Above {
    pub(crate) parent_run_id: Option<RunId>,
    /// The call that made it; of a root one in another process, if there is one.
    pub(crate) caller: Option<CallId>,
    /// The path of that call, if it is of this process.
    pub(crate) path: Option<Path>,
}

/// A long line of them is dropped one after another, not each inside of the one below.
impl Drop for Above {
    fn drop(&mut self) {
        let mut above = self.path.take().and_then(|path| path.above);
        while let Some(next) = above {
            let path = Arc::into_inner(next).and_then(|mut next| next.path.take());
            above = path.and_then(|path| path.above);
        }
    }
}

impl Path {
    fn name(&self) -> &str {
        self.name.as_deref().map_or(self.definition.name, String::as_str)
    }

    /// The names from the root down, joined with `.`.
    pub(crate) fn join(&self) -> String {
        join(self.name(), self.above.as_deref())
    }

    /// What the call of this path says when it starts.
    pub(crate) fn start_event(&self, run_id: RunId, call_id: CallId) -> StartEvent {
        start_event(self.name(), self.above.as_deref(), run_id, call_id)
    }

    /// The runnable, by the name that it was called by. Its metadata is the span's.
    pub(crate) fn definition(&self) -> Definition {
        let mut definition = Definition::from(self.definition);
        if let Some(name) = &self.name {
            definition.name = String::clone(name).into();
        }
        definition
    }
}

/// The same of a call that has this name and is below these.
fn join(name: &str, above: Option<&Above>) -> String {
    let Some(caller) = above.and_then(|above| above.path.as_ref()) else { return name.to_owned() };
    let line = std::iter::successors(Some(caller), |path| path.above.as_deref()?.path.as_ref());
    let mut names: Vec<&str> = std::iter::once(name).chain(line.map(Path::name)).collect();
    names.reverse();
    names.join(".")
}

/// What a call says when it starts that has this name and is below these.
pub(crate) fn start_event(
    name: &str,
    above: Option<&Above>,
    run_id: RunId,
    call_id: CallId,
) -> StartEvent {
    StartEvent {
        run_id,
        parent_run_id: above.and_then(|above| above.parent_run_id),
        path: join(name, above),
        call_id,
        parent_call_id: above.and_then(|above| above.caller),
    }
}
