//! The calls that every variant makes: one source, so that only the attributes differ.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

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
}

impl Case {
    pub(crate) const ALL: [Self; 4] = [Self::Root, Self::Child, Self::Deep, Self::FanOut];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Child => "child",
            Self::Deep => "deep",
            Self::FanOut => "fan-out",
        }
    }

    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Root => "a call that no other call made",
            Self::Child => "100 calls in a row under one root",
            Self::Deep => "10 calls, each inside the one before",
            Self::FanOut => "100 calls joined under one root",
        }
    }

    /// The calls of one root, itself among them.
    pub(crate) fn calls(self) -> u64 {
        match self {
            Self::Root => 1,
            Self::Child | Self::FanOut => 101,
            Self::Deep => 10,
        }
    }

    /// What the root returns; every call below it returns [`SUM`].
    pub(crate) fn value(self) -> u64 {
        match self {
            Self::Root | Self::Deep => SUM,
            Self::Child | Self::FanOut => 100 * SUM,
        }
    }
}

/// The arguments of every call.
pub(crate) const A: u64 = 1;
pub(crate) const B: u64 = 2;
pub(crate) const SUM: u64 = A + B;

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
/// `root` and `call` are the attributes of roots and of the calls below them; `run` wraps a root.
/// The names of the parameters are the caller's, because attributes mention them in strings.
macro_rules! workload {
    (
        ($a:ident, $b:ident)
        root: $(#[$root:meta])*;
        call: $(#[$call:meta])*;
        run: $run:path;
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
            }
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

        $(#[$call])*
        async fn add($a: u64, $b: u64) -> u64 {
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
