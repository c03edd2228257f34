//! The store on the databases themselves.

mod authjs_tables;
mod contract;
mod migrations;
mod open;
mod outage;
mod own_tables;
mod two_processes;
