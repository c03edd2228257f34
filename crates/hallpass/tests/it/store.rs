//! The rules of `Store`, kept by the reference store.

use hallpass::MemoryStore;

hallpass::testkit::store_contract!(memory, async || Some(MemoryStore::new()));
