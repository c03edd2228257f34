//! The session token: what a sealed cookie holds, readable and writable by Auth.js (v5) and next-auth (v4).
//!
//! [`TokenKeys`] are derived once for each cookie name and then [`seal`](TokenKeys::seal) and
//! [`open`](TokenKeys::open) without deriving anything. The random IV and the time are arguments.

mod jwe;
mod token;

pub(crate) use token::check_times;
pub use token::{Dialect, OpenError, TokenKeys};
