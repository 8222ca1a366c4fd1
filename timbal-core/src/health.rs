//! `Health`: what became of the calls of a recorder.

/// What became of the calls of a recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Ended, and not written yet.
    pub queued: u64,
    /// Written; of several stores, to the one that has written least.
    pub written: u64,
    /// Values that were too large or too deep to be captured whole.
    pub cut: u64,
    /// Said about calls when neither they nor any call above was open.
    pub late: u64,
    /// Ended, and never written: the queue was full or closed, or the store failed to the end.
    pub lost: u64,
    /// Runs that should have completed only when written, and completed before: see
    /// [`Durability::Committed`](crate::Durability::Committed).
    pub uncommitted: u64,
    /// Sent by an exporter.
    pub exported: u64,
    /// Never sent by an exporter: its queue was full, or it failed to the end.
    pub not_exported: u64,
    /// Subscribers that panicked and hear nothing more.
    pub subscribers_cut_off: usize,
    /// Events that [`queued`](crate::queued()) subscribers were not told of.
    pub left_out: u64,
    /// What a store or an exporter said when it last failed.
    pub last_error: Option<String>,
}
