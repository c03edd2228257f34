//! Hallpass in actix-web applications.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod application;
mod guard;
mod peer;
mod routes;
mod session;
mod token;
