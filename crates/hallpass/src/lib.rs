//! Authentication for Rust with the ease of Auth.js.

pub mod clock;
pub mod http;
pub mod oauth;
pub mod oidc;
pub mod providers;
pub mod random;
mod relying_party;
mod secret;

pub use clock::Timestamp;
pub use secret::Secret;
