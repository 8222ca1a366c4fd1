//! Methods stay what they are, and no lint says more of them than it did.

#![deny(warnings, rust_2018_idioms, unused, refining_impl_trait, single_use_lifetimes)]

use std::cell::Cell;

use futures::{Stream, stream};
use serde::Serialize;
use timbal::runnable;

pub trait Public: Sized {
    fn new(n: u8) -> impl Future<Output = Self> + Send;

    fn add(&mut self, n: u8) -> impl Future<Output = u8> + Send;

    fn items(&self) -> impl Stream<Item = &u8>;

    fn count(&self) -> usize {
        1
    }

    #[runnable(opaque)]
    fn both(&mut self) -> impl Future<Output = u8> {
        self.add(2)
    }
}

#[derive(Clone, Serialize)]
pub struct Holder<T>(T);

impl Public for Holder<u8> {
    #[runnable(skip_output)]
    async fn new(n: u8) -> Self {
        Self(n)
    }

    #[runnable(capture_self)]
    async fn add(&mut self, n: u8) -> u8 {
        self.0 += n;
        self.0
    }

    #[runnable]
    fn items(&self) -> impl Stream<Item = &u8> {
        stream::iter(std::iter::once(&self.0))
    }

    #[runnable]
    fn count(&self) -> usize {
        2
    }
}

#[runnable(skip_output)]
impl<T: Clone + Serialize> Holder<T> {
    pub async fn get(&self) -> &T {
        &self.0
    }

    async fn take(self) -> T
    where
        T: Sized,
    {
        self.0
    }

    async fn replace(mut self, with: T) {
        self.0 = with;
    }

    fn once<'a>(&'a self) -> impl Iterator<Item = T> + 'a {
        std::iter::once_with(|| self.0.clone())
    }

    fn repeat<'a>(&'a self, #[skip] times: &'a Cell<u8>) -> impl Iterator<Item = T> + use<'a, T> {
        (0..times.get()).map(|_| self.0.clone())
    }
}

fn main() {
    let mut holder = Holder(1);
    drop((Holder::new(1), holder.both()));
    drop(holder.add(1));
    drop((holder.items(), holder.get()));
    let _items = holder.repeat(&Cell::new(2)).count() + holder.count();
    let _once = holder.once().count();
    drop((holder.clone().replace(2), holder.take()));
}
