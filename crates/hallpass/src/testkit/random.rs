//! Random bytes that are the same in every run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::random::{NoRandomness, Random};

/// Bytes that follow from a seed and a counter. Never the same twice within a run, always the same between runs.
/// Clones share the counter. For tests only: who knows the seed knows all.
#[derive(Clone, Debug)]
pub struct SeededRandom {
    seed: u64,
    drawn: Arc<AtomicU64>,
}

impl SeededRandom {
    /// Bytes that follow from this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: Arc::default() }
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for piece in bytes.chunks_mut(32) {
            let mut hash = Sha256::new();
            hash.update(self.seed.to_be_bytes());
            hash.update(self.drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes());
            for (byte, random) in piece.iter_mut().zip(hash.finalize()) {
                *byte = random;
            }
        }
        Ok(())
    }
}
