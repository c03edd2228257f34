//! The program `hallpass`, run as people run it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helps tests may fail as they do"
)]

mod api;
mod browser;
mod commands;
mod configured;
mod development;
mod hostile;
mod idp;
mod javascript;
mod limits;
mod program;
mod seeds;
