//! A call is `Send` when its body is.

use std::rc::Rc;

use timbal::runnable;

#[runnable]
async fn counted(n: u8) -> u8 {
    let n = Rc::new(n);
    std::future::ready(()).await;
    *n
}

fn main() {
    fn is_send(_: impl Send) {}
    is_send(counted(1));
}
