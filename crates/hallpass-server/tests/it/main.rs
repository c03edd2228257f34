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
mod closed;
mod cluster;
mod commands;
mod configured;
mod cors;
mod development;
mod doctor;
mod forward_auth;
mod expressions;
mod hook;
mod hostile;
mod idp;
mod init;
mod javascript;
mod limits;
mod nginx;
mod logs;
mod looks;
mod metrics;
mod operation;
mod outage;
mod passwords;
mod program;
mod proxies;
mod rate_limits;
mod sink;
mod smuggling;
mod stand_in;
mod storage;
mod seeds;
mod webhooks;
mod types;
