//! Private servers for tests: PostgreSQL, MariaDB and Redis, started from the programs on this machine.
//!
//! [`postgres`], [`mariadb`] and [`redis`] give a fresh, empty database on a server that all tests of the binary
//! share. [`Server::start`] gives a server of one's own, to be stopped, killed, paused and started again; with
//! a [`Proxy`] in front the way to it is slow or cut.
//!
//! A server and its data go when the test process ends, however it ends.
//!
//! ```no_run
//! # async fn a_test() {
//! let Some(database) = test_servers::postgres().await else { return };
//! println!("{}", database.url);
//! # }
//! ```
//!
//! A program that is not installed: the test is reported on standard error as skipped, and gets `None`. With
//! `HALLPASS_TEST_REQUIRE=all` it fails.
//!
//! `HALLPASS_TEST_MYSQLD` is the path of a `mysqld` that all tests of MariaDB use in its place (with MariaDB's client),
//! `HALLPASS_TEST_VALKEY` of a `valkey-server` in place of Redis. A script must `exec` the program: it gets its
//! signals.
//!
//! What goes wrong otherwise ends the test: these functions panic.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails; nothing else depends on this crate"
)]

mod database;
mod kind;
mod programs;
mod proxy;
mod server;
mod wrapper;

pub use database::{Database, mariadb, postgres, redis};
pub use kind::Kind;
pub use programs::Program;
pub use proxy::Proxy;
pub use server::{Durability, Server};
