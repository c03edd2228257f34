//! Authentication for Rust with the ease of Auth.js.

pub mod clock;
pub mod http;
pub mod pages;
pub mod random;
pub mod providers;
mod secret;

pub use clock::Timestamp;
pub use secret::Secret;
