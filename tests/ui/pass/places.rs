//! Where a function can stand, and what can stand around it.

#![deny(warnings)]

use timbal::runnable;

mod re_exported {
    pub use timbal as observed;
}

struct Number(u8);

impl Number {
    #[runnable(skip_output)]
    async fn new(n: u8) -> Self {
        Self(n)
    }

    #[runnable]
    async fn doubled(n: u8) -> u8
    where
        Self: Sized,
    {
        Self::new(n).await.0 * 2
    }
}

macro_rules! function {
    ($name:ident($($parameter:ident: $type:ty),*) -> $output:ty $body:block) => {
        #[runnable(name = "made")]
        async fn $name($($parameter: $type),*) -> $output $body
    };
    ($name:literal, $value:literal, $body:expr) => {{
        #[runnable(name = $name, metadata(value = $value))]
        async fn unnamed() -> u8 {
            $body
        }
        unnamed()
    }};
}

function!(made(a: u8, _b: &str) -> u8 { a + 1 });

#[deprecated]
#[must_use]
#[inline]
#[track_caller]
#[runnable(crate = re_exported::observed)]
/// Its documentation.
pub(crate) async fn attributed(#[allow(unused_variables)] n: u8) -> u8 {
    #![allow(unused_variables)]
    let unused = 1;
    2
}

#[runnable]
async fn outer(n: u8) -> u8 {
    #[runnable]
    async fn inner(n: u8) -> u8 {
        n
    }
    inner(n).await
}

fn main() {
    drop((Number::doubled(1), made(1, ""), function!("other", -1, 2), outer(1)));
    #[expect(deprecated)]
    drop(attributed(1));
}
