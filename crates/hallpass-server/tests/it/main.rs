//! The program `hallpass`, run as people run it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what helps tests may fail as they do")]

mod browser;
mod commands;
mod configured;
mod development;
mod limits;
mod program;
mod storage;
