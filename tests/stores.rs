//! Stores: each does what every store does.

mod memory {
    timbal::store_conformance!(timbal::MemoryStore::new());
}

mod sqlite {
    use std::sync::atomic::{AtomicU32, Ordering};

    timbal::store_conformance!(new_store());

    fn new_store() -> timbal::SqliteStore {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("stores/{}", NEXT.fetch_add(1, Ordering::Relaxed));
        timbal::SqliteStore::open(timbal_tests::directory(&name).join("traces.db")).unwrap()
    }
}

mod postgres {
    use timbal_tests::scratch::Scratch;

    timbal::store_conformance!(*match Scratch::new() {
        Some(scratch) => scratch.store(),
        None => return,
    });
}
