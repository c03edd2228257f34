//! What every shell does in the same way: for whoever brings Hallpass to another web framework.
//!
//! An application has no need of it; it uses a shell such as `hallpass-axum`. A shell turns its framework's request
//! into a [`Request`](::http::Request), asks [`Core::handle`](crate::Core::handle) at Hallpass' own addresses, and
//! elsewhere [`session`] or a [`Guard`]; a layer around the handlers puts [`Renewals`] into the request's extensions
//! first and delivers them at last.

mod guard;
mod refusal;
mod renewals;
mod session;

pub use guard::Guard;
pub use refusal::{Refusal, body_too_large};
pub use renewals::Renewals;
pub use session::{HeldSession, session};
