//! `Item`: one item of a call, as its expansion tells it.

use std::any::type_name;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use crate::capture::Join;
use crate::folded::Folded;
use crate::open_call::OpenCall;
use crate::probe::CaptureItem;
use crate::{CallError, capture};

/// Looks at an item of a call, and says it. The expansion writes it, where the type is concrete.
pub(crate) type ItemProbe<T> = fn(&T, &mut Item<'_>);

/// One item of a call. The expansion of its runnable looks at the item and says it here.
pub struct Item<'a> {
    call: &'a OpenCall,
    folded: &'a mut Folded,
}

impl<'a> Item<'a> {
    /// What `probe` finds. It runs code of the user's types, which may panic: that ends here.
    #[inline]
    pub(crate) fn look(call: &'a OpenCall, folded: &'a mut Folded, probe: impl FnOnce(&mut Self)) {
        let mut item = Self { call, folded };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| probe(&mut item))) {
            item.folded.fail(panic);
        }
    }

    /// The call failed, if this is an error and the first of them.
    #[inline]
    pub fn error(&mut self, error: Option<CallError>) {
        if let Some(error) = error {
            self.fail(error);
        }
    }

    #[cold]
    fn fail(&mut self, error: CallError) {
        #[derive(Serialize)]
        struct Chunk<'e> {
            r#type: &'e str,
            message: &'e str,
        }
        let chunk = Chunk { r#type: error.type_name(), message: error.message() };
        self.chunk(Some(&chunk));
        if self.folded.failure.is_none() {
            let failure = self.call.outcome_of(error);
            // Now, as who takes the item may return it while the call is open.
            self.call.tell_failure(&failure);
            self.folded.failure = Some(failure);
        }
    }

    /// A value: texts are a text in the end, others a list.
    #[inline]
    pub fn output<T: CaptureItem>(&mut self, value: Option<&T>) {
        let is_text = is::<T, String>() || is::<T, &str>() || is::<T, char>();
        self.join(value, if is_text { Join::Concat } else { Join::List });
    }

    /// A value, of which all are a text in the end.
    pub fn concat<T: CaptureItem>(&mut self, value: Option<&T>) {
        self.join(value, Join::Concat);
    }

    /// A value, of which all are a list in the end.
    pub fn list<T: CaptureItem>(&mut self, value: Option<&T>) {
        self.join(value, Join::List);
    }

    /// A value that is a chunk, and nothing in the end.
    pub fn chunk<T: CaptureItem>(&mut self, value: Option<&T>) {
        if let (Some(value), Some(chunk)) = (value, self.folded.chunks.next()) {
            capture::value(self.call.run().rules(), value).put(chunk);
        }
    }

    /// A value, of which this function makes something in the end.
    pub fn fold<T, A>(&mut self, value: Option<&T>, fold: impl FnOnce(&mut A, &T))
    where
        T: CaptureItem,
        A: Default + Serialize + Send + Sync + 'static,
    {
        self.chunk(value);
        let value = value.filter(|_| self.call.is_seen);
        if let (Some(value), Some(own)) = (value, self.folded.own()) {
            fold(own, value);
        }
    }

    /// What the value says that the call used.
    pub fn usage<'v, T, I, K>(&mut self, value: Option<&'v T>, usage: impl FnOnce(&'v T) -> I)
    where
        I: IntoIterator<Item = (K, u64)>,
        K: AsRef<str>,
    {
        for (key, amount) in value.map(usage).into_iter().flatten() {
            self.call.note(|notes| notes.add_usage(key.as_ref(), amount));
        }
    }

    #[inline]
    fn join<T: CaptureItem>(&mut self, value: Option<&T>, join: Join) {
        let Some(value) = value.filter(|_| self.call.is_seen) else { return };
        let rules = self.call.run().rules();
        self.folded.join(rules, value, join);
    }
}

/// Whether these are one type, but for lifetimes. Where it is asked, neither need be known.
pub(crate) fn is<T: ?Sized, U: ?Sized>() -> bool {
    type_name::<T>() == type_name::<U>()
}
