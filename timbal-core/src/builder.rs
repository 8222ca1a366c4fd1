//! `Builder`: what becomes a recorder.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::capture::Rules;
use crate::clock::Clock;
use crate::commit::Commits;
use crate::durability::Durability;
use crate::exporter::Exporter;
use crate::ids::IdSource;
use crate::intake::Intake;
use crate::ledger::Ledger;
use crate::mask::Masks;
use crate::memory::MemoryStore;
use crate::recorder::{Parts, Timbal};
use crate::sampling::Sampling;
use crate::store::Store;
use crate::subscriber::{Subscriber, Subscription};

/// How long a recorder takes at most to write everything out, if it is not told.
const FLUSH_WITHIN: Duration = Duration::from_secs(5);

/// What is longer is for ever, and would not fit in an `Instant`.
const LONGEST: Duration = Duration::from_secs(1 << 30);

/// What becomes a recorder.
#[derive(Default)]
pub struct Builder {
    stores: Vec<Box<dyn Store>>,
    exporters: Vec<Box<dyn Exporter>>,
    flush_within: Option<Duration>,
    durability: Durability,
    subscribers: Vec<Subscription>,
    clock: Option<Arc<dyn Clock>>,
    ids: Option<Box<dyn IdSource>>,
    rules: Rules,
    panic_hook: Option<bool>,
    sampling: Option<Box<dyn Sampling>>,
}

impl Builder {
    /// Keeps spans in this store. Of several stores each gets every span; the first is read from.
    ///
    /// Without one, the last runs are kept in a [`MemoryStore`].
    #[must_use]
    pub fn store(mut self, store: impl Store) -> Self {
        self.stores.push(Box::new(store));
        self
    }

    /// Sends finished spans by this exporter too.
    #[must_use]
    pub fn exporter(mut self, exporter: impl Exporter) -> Self {
        self.exporters.push(Box::new(exporter));
        self
    }

    /// What may be relied on when the first call of a run completes.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Takes this long at most to write everything out when it is asked to, or when the guard is
    /// dropped; five seconds if nothing is said.
    #[must_use]
    pub fn flush_within(mut self, bound: Duration) -> Self {
        self.flush_within = Some(bound);
        self
    }

    /// Tells every event to this subscriber.
    #[must_use]
    pub fn subscriber(mut self, subscriber: impl Subscriber) -> Self {
        self.subscribers.push(Subscription::new(subscriber));
        self
    }

    /// Records the runs for which this says so: `true` or `false`, a [`Ratio`](crate::Ratio) of them, or
    /// what a closure decides. Without asking, all are recorded.
    #[must_use]
    pub fn record(mut self, which: impl Sampling) -> Self {
        self.sampling = Some(Box::new(which));
        self
    }

    /// Masks the values of these keys too: they are `"***"` and never captured.
    ///
    /// Keys are compared whole, ignoring case, `-` and `_`, at any depth of inputs, outputs, chunks
    /// and metadata; variants of enums count as keys. Without asking, these are masked: `password`,
    /// `passwd`, `passphrase`, `pwd`, `secret`, `client_secret`, `secret_key`, `secret_access_key`,
    /// `token`, `access_token`, `refresh_token`, `id_token`, `auth_token`, `api_token`,
    /// `session_token`, `bearer_token`, `x_auth_token`, `authorization`, `proxy_authorization`,
    /// `cookie`, `set_cookie`, `api_key`, `x_api_key`, `private_key`, `access_key`, `credential` and
    /// `credentials`.
    ///
    /// Errors and panics are recorded as what their `Display` says, which nothing masks, nor is a
    /// text masked that names a secret inside of it.
    ///
    /// # Examples
    ///
    /// ```
    /// use timbal_core::Timbal;
    ///
    /// let timbal = Timbal::builder().mask_keys(["ssn", "Card-Number"]).build();
    /// # let call = timbal_core::call!("ask", async {
    /// #     serde_json::json!({ "cardNumber": 4242, "name": "Alice", "password": "hunter2" })
    /// # });
    /// # let done = futures::executor::block_on(call.recorded_by(&timbal).collect());
    /// # assert_eq!(done.output.as_json(), r#"{"cardNumber":"***","name":"Alice","password":"***"}"#);
    /// ```
    #[must_use]
    pub fn mask_keys<K: AsRef<str>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.rules.masks.add(keys);
        self
    }

    /// Masks the values of these keys and no others; see [`mask_keys`](Self::mask_keys).
    #[must_use]
    pub fn mask_only_keys<K: AsRef<str>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.rules.masks = Masks::new(keys);
        self
    }

    /// Cuts payloads that take more bytes of JSON than this; `None` cuts none. Without asking it is
    /// 1 MiB.
    ///
    /// Without a limit a value that never ends, such as an endless iterator, is captured until there
    /// is no memory left.
    #[must_use]
    pub fn max_payload_bytes(mut self, bytes: impl Into<Option<usize>>) -> Self {
        self.rules.max_bytes = bytes.into();
        self
    }

    /// Cuts what is inside of more arrays and objects than this; `None` cuts at 256, as every level
    /// takes of the stack. Without asking it is 128.
    #[must_use]
    pub fn max_payload_depth(mut self, levels: impl Into<Option<usize>>) -> Self {
        self.rules.max_depth = levels.into();
        self
    }

    /// Reads the time from this clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Takes the random bits of ids from this source.
    #[must_use]
    pub fn ids(mut self, source: impl IdSource) -> Self {
        self.ids = Some(Box::new(source));
        self
    }

    /// Whether the place of a panic is recorded: it is, unless this says `false`.
    ///
    /// It is known to a panic hook alone. So [`install`](Timbal::install) chains one before the
    /// process's own, which still runs, once a panic. It is best called before there are threads: one
    /// that panics meanwhile finds no hook, and a hook that it sets meanwhile is lost.
    #[must_use]
    pub fn panic_hook(mut self, is_chained: bool) -> Self {
        self.panic_hook = Some(is_chained);
        self
    }

    /// The recorder. It records the calls that are given to it by
    /// [`recorded_by`](crate::Call::recorded_by), and all calls once it is installed.
    pub fn build(self) -> Timbal {
        Timbal::start(self.into_parts())
    }

    pub(crate) fn into_parts(self) -> Parts {
        let Self {
            mut stores,
            exporters,
            flush_within,
            durability,
            subscribers,
            clock,
            ids,
            rules,
            panic_hook,
            sampling,
        } = self;
        if stores.is_empty() {
            stores.push(Box::new(MemoryStore::new()));
        }
        if clock.is_none() {
            crate::clock::counter(); // found out now, not when the first call starts
        }
        let intake = Intake {
            rules,
            clock,
            ids,
            sampling,
            subscribers,
            ledger: Ledger::default(),
            commits: match durability {
                Durability::Background => None,
                Durability::Committed { within } => {
                    Some(Arc::new(Commits::new(within.min(LONGEST), stores.len())))
                }
            },
            late: Default::default(),
            recorder: Default::default(),
        };
        let flush_within = flush_within.unwrap_or(FLUSH_WITHIN).min(LONGEST);
        let has_panic_hook = panic_hook.unwrap_or(true);
        Parts { intake, stores, exporters, flush_within, has_panic_hook }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}
