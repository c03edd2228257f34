//! A password hash: Argon2id in the PHC string format.

use std::fmt;

use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, AssociatedData, Block, Params, Version};
use base64ct::{Base64Unpadded, Encoding};
use hallpass::random::{NoRandomness, Random};

use super::verifier::Memory;

/// `$argon2id$v=19$m=19456,t=2,p=1$…$…`, read and found sensible.
pub(crate) struct Hash {
    cost: Cost,
    version: Version,
    salt: Vec<u8>,
    /// What the password gives; a decoy has none, so no password is right.
    output: Option<Output>,
}

/// How much work a hash is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Cost {
    /// Memory in KiB.
    pub(super) memory: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
}

impl Default for Cost {
    /// What the OWASP Password Storage Cheat Sheet asks for at least.
    fn default() -> Self {
        Self { memory: 19 * 1024, passes: 2, lanes: 1 }
    }
}

impl Cost {
    fn params(self, output: usize) -> Result<Params, argon2::Error> {
        Params::new(self.memory, self.passes, self.lanes, Some(output))
    }
}

impl Hash {
    /// Reads a hash.
    ///
    /// # Errors
    /// What is wrong with it. It never tells the hash itself.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.starts_with("$argon2id$") {
            return Err("is not an Argon2id hash: `hallpass user` makes one");
        }
        let hash = PasswordHash::new(text).map_err(|_| "is no Argon2id hash that can be read")?;
        let params =
            Params::try_from(&hash).map_err(|_| "is an Argon2id hash with parameters that are wrong")?;
        let version = match hash.version {
            Some(0x13) => Version::V0x13,
            Some(0x10) => Version::V0x10,
            _ => return Err("is an Argon2id hash of an unknown version"),
        };
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err("is an Argon2id hash without its salt or its end");
        };
        if !params.keyid().is_empty() || params.data() != AssociatedData::EMPTY.as_bytes() {
            return Err("is an Argon2id hash with a key or data that nobody here knows");
        }
        let cost = Cost { memory: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() };
        if cost.memory > MOST_MEMORY || cost.passes > MOST_PASSES || cost.lanes > MOST_LANES {
            return Err(
                "is an Argon2id hash that takes too much work: at most m=262144 (256 MiB), t=20, p=16",
            );
        }
        if output.as_bytes().len() < SHORTEST_OUTPUT {
            return Err("is an Argon2id hash that is too short: at least 16 bytes");
        }
        Ok(Self { cost, version, salt: salt.as_ref().to_vec(), output: Some(output) })
    }

    /// Hashes a password, with a new salt.
    ///
    /// # Errors
    /// When there is no randomness, or no memory.
    pub(crate) fn make(password: &str, random: &impl Random) -> Result<String, MakeError> {
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        let cost = Cost::default();
        let mut output = [0; USUAL_OUTPUT];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params(output.len())?);
        argon2.hash_password_into(password.as_bytes(), &salt, &mut output)?;
        let [salt, output] = [&salt[..], &output[..]].map(Base64Unpadded::encode_string);
        let Cost { memory, passes, lanes } = cost;
        Ok(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}"))
    }

    /// A hash that no password has.
    pub(super) fn decoy(cost: Cost) -> Self {
        Self { cost, version: Version::V0x13, salt: vec![0; 16], output: None }
    }

    pub(super) fn cost(&self) -> Cost {
        self.cost
    }

    /// Whether this is the password. Takes long, on purpose. The memory may come from another check.
    pub(super) fn verify(&self, password: &str, memory: &mut Memory) -> Result<bool, argon2::Error> {
        let length = self.output.map_or(USUAL_OUTPUT, |output| output.as_bytes().len());
        let argon2 = Argon2::new(Algorithm::Argon2id, self.version, self.cost.params(length)?);
        let mut computed = vec![0; length];
        let blocks = argon2.params().block_count();
        if memory.len() < blocks {
            *memory = Memory::new();
            memory.try_reserve_exact(blocks.max(LEAST_BLOCKS)).map_err(|_| argon2::Error::OutOfMemory)?;
            memory.resize(blocks, Block::default());
        }
        let memory = memory.get_mut(..blocks).unwrap_or_default();
        argon2.hash_password_into_with_memory(password.as_bytes(), &self.salt, &mut computed, memory)?;
        // The comparison of outputs takes the same time wherever they differ.
        Ok(Output::new(&computed).is_ok_and(|computed| self.output == Some(computed)))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hash").field("cost", &self.cost).finish_non_exhaustive()
    }
}

/// Why no hash was made.
#[derive(Debug)]
pub(crate) enum MakeError {
    Random(NoRandomness),
    Argon2(argon2::Error),
}

impl fmt::Display for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random(error) => error.fmt(f),
            Self::Argon2(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for MakeError {}

impl From<NoRandomness> for MakeError {
    fn from(error: NoRandomness) -> Self {
        Self::Random(error)
    }
}

impl From<argon2::Error> for MakeError {
    fn from(error: argon2::Error) -> Self {
        Self::Argon2(error)
    }
}

/// Over 32 MiB, which is what allocators give back to the operating system at once when it is freed. What is not
/// used of it takes no memory.
const LEAST_BLOCKS: usize = 33 * 1024;

/// In KiB.
const MOST_MEMORY: u32 = 256 * 1024;

const MOST_PASSES: u32 = 20;

const MOST_LANES: u32 = 16;

/// In bytes.
const USUAL_OUTPUT: usize = 32;

/// In bytes.
const SHORTEST_OUTPUT: usize = 16;

#[cfg(test)]
mod tests;
