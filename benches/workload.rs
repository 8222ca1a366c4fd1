//! The calls that every variant makes: one source, so that only the attributes differ.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures::stream::{self, Stream, StreamExt};

/// How the calls of one root are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// A root that calls nobody.
    Root,
    /// A root that calls 100 functions in a row.
    Child,
    /// A root at the head of a chain of 10.
    Deep,
    /// A root that joins 100 calls.
    FanOut,
    /// The same, of calls that each give way once before they go on.
    Yielding,
    /// A root that gives 10,000 items, one by one.
    Stream,
}

impl Case {
    pub(crate) const ALL: [Self; 6] =
        [Self::Root, Self::Child, Self::Deep, Self::FanOut, Self::Yielding, Self::Stream];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Child => "child",
            Self::Deep => "deep",
            Self::FanOut => "fan-out",
            Self::Yielding => "yielding",
            Self::Stream => "stream",
        }
    }

    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Root => "a call that no other call made",
            Self::Child => "100 calls in a row under one root",
            Self::Deep => "10 calls, each inside the one before",
            Self::FanOut => "100 calls joined under one root",
            Self::Yielding => "100 calls joined under one root, each of which gives way once",
            Self::Stream => "10,000 chunks of one root; what follows is of a chunk",
        }
    }

    /// The calls of one root, itself among them.
    pub(crate) fn calls(self) -> u64 {
        match self {
            Self::Root | Self::Stream => 1,
            Self::Child | Self::FanOut | Self::Yielding => 101,
            Self::Deep => 10,
        }
    }

    /// What the costs of one root are divided by: its calls, or its chunks.
    pub(crate) fn units(self) -> u64 {
        match self {
            Self::Stream => CHUNKS,
            _ => self.calls(),
        }
    }

    /// What the root returns; every call below it returns [`SUM`].
    pub(crate) fn value(self) -> u64 {
        match self {
            Self::Root | Self::Deep => SUM,
            Self::Child | Self::FanOut | Self::Yielding => 100 * SUM,
            Self::Stream => CHUNKS * (CHUNKS - 1) / 2,
        }
    }
}

/// The arguments of every call.
pub(crate) const A: u64 = 1;
pub(crate) const B: u64 = 2;
pub(crate) const SUM: u64 = A + B;

/// The chunks of a stream: the numbers from 0 on.
pub(crate) const CHUNKS: u64 = 10_000;

/// What a stream gives.
pub(crate) fn numbers() -> impl Stream<Item = u64> {
    stream::iter((0..CHUNKS).map(std::hint::black_box))
}

/// Looks at each item of a stream, and gives their sum.
pub(crate) async fn drain(items: impl Stream<Item = u64>, mut look: impl FnMut(u64)) -> u64 {
    let mut items = pin!(items);
    let mut sum = 0;
    while let Some(n) = items.next().await {
        look(n);
        sum += n;
    }
    sum
}

/// Is ready when it is polled for the second time.
pub(crate) fn give_way() -> impl Future<Output = ()> {
    let mut has_waited = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Polls a future until it is ready: an executor that costs almost nothing.
pub(crate) fn poll<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// Writes the calls of all cases, and `run(case)`, which makes those of one root.
///
/// `root` and `call` are the attributes of roots and of the calls below them; `run` wraps a root,
/// and `stream` is the future of a root that gives [`numbers`] and says each of them.
/// The names of the parameters are the caller's, because attributes mention them in strings.
macro_rules! workload {
    (
        ($a:ident, $b:ident)
        root: $(#[$root:meta])*;
        call: $(#[$call:meta])*;
        run: $run:path;
        stream: $stream:path;
    ) => {
        /// Makes the calls of one root, and returns what it returned.
        pub(super) fn run(case: $crate::workload::Case) -> u64 {
            use $crate::workload::{A, B, Case, poll};
            let (a, b) = std::hint::black_box((A, B));
            match case {
                Case::Root => poll($run(root(a, b))),
                Case::Child => poll($run(child(a, b))),
                Case::Deep => poll($run(deep(a, b))),
                Case::FanOut => poll($run(fan_out(a, b))),
                Case::Yielding => poll($run(yielding(a, b))),
                Case::Stream => poll($run($stream(a, b))),
            }
        }

        /// The bytes of a future that is ten calls deep.
        #[allow(dead_code, reason = "asked of each library once, not of each way to use it")]
        pub(in crate::variants) fn bytes() -> usize {
            size_of_val(&$run(deep($crate::workload::A, $crate::workload::B)))
        }

        $(#[$root])*
        async fn root($a: u64, $b: u64) -> u64 {
            std::hint::black_box($a) + std::hint::black_box($b)
        }

        $(#[$root])*
        async fn child($a: u64, $b: u64) -> u64 {
            let mut sum = 0;
            for _ in 0..100 {
                sum += add($a, $b).await;
            }
            sum
        }

        $(#[$root])*
        async fn fan_out($a: u64, $b: u64) -> u64 {
            let sums = futures::future::join_all((0..100).map(|_| add($a, $b))).await;
            sums.into_iter().sum()
        }

        $(#[$root])*
        async fn yielding($a: u64, $b: u64) -> u64 {
            let sums = futures::future::join_all((0..100).map(|_| add_later($a, $b))).await;
            sums.into_iter().sum()
        }

        $(#[$call])*
        async fn add($a: u64, $b: u64) -> u64 {
            std::hint::black_box($a) + std::hint::black_box($b)
        }

        $(#[$call])*
        async fn add_later($a: u64, $b: u64) -> u64 {
            $crate::workload::give_way().await;
            std::hint::black_box($a) + std::hint::black_box($b)
        }

        $crate::workload::chain! {
            ($a, $b)
            [$(#[$root])*] deep -> deep_2;
            [$(#[$call])*] deep_2 -> deep_3;
            [$(#[$call])*] deep_3 -> deep_4;
            [$(#[$call])*] deep_4 -> deep_5;
            [$(#[$call])*] deep_5 -> deep_6;
            [$(#[$call])*] deep_6 -> deep_7;
            [$(#[$call])*] deep_7 -> deep_8;
            [$(#[$call])*] deep_8 -> deep_9;
            [$(#[$call])*] deep_9 -> add;
        }
    };
}

/// Writes functions, each of which calls the next.
macro_rules! chain {
    (($a:ident, $b:ident) $([$(#[$attribute:meta])*] $name:ident -> $next:ident;)*) => {
        $(
            $(#[$attribute])*
            async fn $name($a: u64, $b: u64) -> u64 {
                $next(std::hint::black_box($a), std::hint::black_box($b)).await
            }
        )*
    };
}

pub(crate) use {chain, workload};
