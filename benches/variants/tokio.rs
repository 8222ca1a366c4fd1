//! What a chunk costs that is sent through tokio's unbounded channel, and received.

use tokio::sync::mpsc;

use super::{Failure, Recording};
use crate::workload::{Case, drain, numbers, poll};

/// One item is received before the next is sent, as by a reader of a call.
pub(crate) struct Channel;

impl Recording for Channel {
    fn install() -> Result<Self, Failure> {
        Ok(Self)
    }

    fn run(_only_streams: Case) -> u64 {
        poll(async {
            let (sender, mut receiver) = mpsc::unbounded_channel();
            let mut sum = 0;
            let sent = drain(numbers(), |n| {
                let _received_below = sender.send(n);
                sum += receiver.try_recv().unwrap_or_default();
            });
            sent.await;
            sum
        })
    }
}
