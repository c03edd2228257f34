//! The store on the databases themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod authjs_tables;
mod contract;
mod migrations;
mod open;
mod outage;
mod signing_in;
mod own_tables;
mod two_processes;
