//! The program `hallpass`, run as people run it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helps tests may fail as they do"
)]

mod administration;
mod api;
mod browser;
mod cluster;
mod commands;
mod configured;
mod development;
mod expressions;
mod hook;
mod hostile;
mod idp;
mod javascript;
mod limits;
mod outage;
mod program;
mod sink;
mod storage;
mod seeds;
mod webhooks;
