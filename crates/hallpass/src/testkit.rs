//! Whole sign-ins in a test, without sockets (feature `testkit`): a [`Browser`] that keeps cookies and calls
//! [`Auth::handle`](crate::Auth::handle), an [`Idp`] that answers as a provider does, and a clock set by hand.
//!
//! What goes wrong in here ends the test: these methods panic, as `assert!` does.
//!
//! ```
//! use hallpass::testkit::{Browser, Idp, ManualClock};
//! use hallpass::{Auth, Environment};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = ManualClock::new();
//! let idp = Idp::new("https://idp.example", &clock);
//! idp.set_user(json!({ "sub": "42", "name": "Ada", "email": "ada@example.com" }));
//! let auth = Auth::builder()
//!     .environment(Environment::empty())
//!     .secret("a text of at least 32 characters, at random")
//!     .url("https://app.example.com")
//!     .clock(clock)
//!     .http_client(idp.clone())
//!     .provider(idp.oidc_provider("idp"))
//!     .build()?;
//!
//! let mut browser = Browser::new(&auth, "https://app.example.com");
//! let answer = browser.sign_in("idp", &idp).await;
//! assert_eq!(answer.location(), "https://app.example.com");
//! assert_eq!(browser.session().await["user"]["name"], "Ada");
//! # Ok(()) }
//! ```
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails; in an application nothing of this module runs"
)]

mod answer;
mod browser;
mod clock;
#[doc(hidden)]
pub mod contract;
mod idp;
mod jar;
mod outage;
mod random;

#[doc(inline)]
pub use crate::__store_contract as store_contract;
pub use answer::Answer;
pub use browser::Browser;
pub use clock::ManualClock;
pub use idp::{Idp, Idps, Returning};
pub use jar::StoredCookie;
pub use outage::Outage;
pub use random::SeededRandom;
