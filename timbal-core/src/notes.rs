//! `Notes`: what is said about a call while it is open.

use std::collections::BTreeMap;

use crate::Payload;
use crate::failing::Failing;

/// What is said about a call while it is open, and what few processes count. Most calls have none.
#[derive(Clone, Default)]
pub(crate) struct Notes {
    pub(crate) usage_own: BTreeMap<String, u64>,
    usage_below: BTreeMap<String, u64>,
    pub(crate) metadata: BTreeMap<String, Payload>,
    /// What has failed in it, until it ends.
    pub(crate) failing: Option<Box<Failing>>,
    pub(crate) allocated_bytes: Option<u64>,
}

/// What a call and the calls below it used, on its way to the call above.
pub(crate) type Used = Box<[(String, u64)]>;

impl Notes {
    /// The call itself used this.
    pub(crate) fn add_usage(&mut self, key: &str, amount: u64) {
        add(&mut self.usage_own, key, amount);
    }

    pub(crate) fn set_metadata(&mut self, key: String, value: Payload) {
        self.metadata.insert(key, value);
    }

    /// Adds one to what the metadata says of this key.
    pub(crate) fn count(&mut self, key: &str) {
        let before = self.metadata.get(key).and_then(|count| count.get::<u64>().ok());
        self.metadata.insert(key.to_owned(), Payload::new(&(before.unwrap_or(0) + 1)));
    }

    /// A call below used this.
    pub(crate) fn add_usage_below(&mut self, used: &Used) {
        add_all(&mut self.usage_below, used.iter().map(|(key, amount)| (key, amount)));
    }

    /// What has failed in the call, to say more of it.
    pub(crate) fn failing(&mut self) -> &mut Failing {
        self.failing.get_or_insert_default()
    }

    /// Whether nothing is left of them when the call has ended.
    pub(crate) fn is_empty(&self) -> bool {
        self.usage_own.is_empty()
            && self.usage_below.is_empty()
            && self.metadata.is_empty()
            && self.allocated_bytes.is_none()
    }

    /// What the call used, and what the calls below it did.
    pub(crate) fn usage(&self) -> BTreeMap<String, u64> {
        let mut total = self.usage_own.clone();
        add_all(&mut total, &self.usage_below);
        total
    }

    /// The same, if they used anything.
    #[cold]
    pub(crate) fn used(&self) -> Option<Used> {
        let usage = self.usage();
        (!usage.is_empty()).then(|| usage.into_iter().collect())
    }

    /// About how many bytes of memory they take.
    pub(crate) fn weight(&self) -> usize {
        let usage = self.usage_own.keys().chain(self.usage_below.keys());
        let usage: usize = usage.map(|key| key.len() + size_of::<(String, u64)>()).sum();
        let metadata = self.metadata.iter();
        let metadata: usize = metadata
            .map(|(key, value)| key.len() + value.heap_bytes() + size_of::<(String, Payload)>())
            .sum();
        size_of::<Self>() + usage + metadata
    }
}

/// Counts saturate: a wrong sum would be worse than one that says "at least".
fn add(usage: &mut BTreeMap<String, u64>, key: &str, amount: u64) {
    match usage.get_mut(key) {
        Some(sum) => *sum = sum.saturating_add(amount),
        None => {
            usage.insert(key.to_owned(), amount);
        }
    }
}

fn add_all<'a>(
    usage: &mut BTreeMap<String, u64>,
    more: impl IntoIterator<Item = (&'a String, &'a u64)>,
) {
    for (key, amount) in more {
        add(usage, key, *amount);
    }
}
