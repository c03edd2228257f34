//! The store on the databases themselves.

mod contract;
mod open;
