//! Sessions and one-time tokens in Redis or Valkey, in front of the store that keeps the users.
//!
//! ```no_run
//! use hallpass::{Auth, MemoryStore};
//! use hallpass_redis::RedisStore;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In production the users are in a database: the other stores of Hallpass fit here too.
//! let store = RedisStore::new("rediss://user:password@redis.example.com:6379/0", MemoryStore::new())?;
//! let auth = Auth::builder().secret("a text of at least 32 characters, at random").store(store).build()?;
//! # Ok(()) }
//! ```
//!
//! # What is kept
//!
//! Under a [prefix](RedisStore::prefix), `hallpass:` by default:
//!
//! | key | type | |
//! |---|---|---|
//! | `session:<SHA-256 of the token>` | hash | a session: user id, times, claims |
//! | `sessions:<user id>` | sorted set | the sessions of a user, for lists and for ending them |
//! | `token:<length>:<hash>:<identifier>` | hash | a one-time token |
//! | `tokens:<identifier>` | sorted set | the one-time tokens of an address, or those that Hallpass keeps for itself |
//! | `clients` | sorted set | the sessions whose user agent or address is known, by when they began |
//! | `clients:expiring` | sorted set | the same sessions, by when they end |
//!
//! No token is in a key or a value. Every key has an expiry, so nothing has to be swept but
//! [user agents and addresses](hallpass::Store::forget_clients) that are kept for a shorter time than their sessions.
//!
//! # What differs from one database
//!
//! - A session lasts a minute longer than it is valid, then its row is gone by itself.
//!   [`sweep`](hallpass::Store::sweep) sweeps the other store only.
//! - Users and sessions are in two places. In what needs both, the order of the steps is such that a failure between
//!   them ends more sessions than it had to, and never leaves one usable that should have ended.
//! - A session that begins while the user's address is proven for the first time is worthless afterwards, also while
//!   its row is still there.
//! - Of two first proofs at the same moment the later one may end the session that the earlier one began.
//! - `FLUSHDB`, or a Redis that forgets its content when it restarts, signs everybody out. With the sessions it forgets
//!   which sign-ins came back in the last minutes, and which tokens from before a change of strategy went on as rows.
//!
//! # Which servers
//!
//! Redis from 5.0 (tested with 7.0) and Valkey (8.0, 9.1), one primary (with replicas and failover if you like). Not
//! Redis Cluster: a session and the list of its user's sessions are changed in one script, and live in different slots.
//! All reads go to the primary, so a session that was ended on one machine is refused on all others with the next
//! request.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `tls` | yes | `rediss://`, with rustls, ring and the certificates of the machine |

mod connection;
mod keys;
mod row;
mod scripts;
mod store;

pub use store::RedisStore;
