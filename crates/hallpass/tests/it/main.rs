//! Whole flows, on the public API only: a module for each address.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod arbitrary;
mod attempts;
mod callback;
mod claims;
mod configuration;
mod configured;
mod cookies;
mod credentials;
mod csrf;
mod database;
mod dialects;
mod email;
mod linking;
mod live;
mod model;
mod logs;
mod mail;
mod meanwhile;
mod pages;
mod prehijack;
mod redirects;
mod retention;
mod routes;
mod session;
mod signin;
mod signout;
mod sink;
mod site;
mod store;
mod types;
mod v4;
