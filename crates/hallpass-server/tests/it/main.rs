//! The program `hallpass`, run as people run it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helps tests may fail as they do"
)]

mod administration;
mod api;
mod authjs;
mod browser;
mod check;
mod cluster;
mod commands;
mod configured;
mod development;
mod expressions;
mod hook;
mod hostile;
mod idp;
mod init;
mod javascript;
mod limits;
mod outage;
mod program;
mod sink;
mod stand_in;
mod storage;
mod seeds;
mod webhooks;
mod types;
