//! Callbacks in JavaScript: a configuration as Auth.js has it, run as it is.

mod arguments;
mod callbacks;
mod description;
mod engine;
mod fault;
mod fetch;
mod host;
mod modules;
mod pool;
mod providers;
mod request;
mod script;
mod slice;
mod strip;

pub(crate) use callbacks::add_forms;
pub(crate) use description::{Description, MailProvider};
pub(crate) use engine::Limits;
pub(crate) use fault::Fault;
pub(crate) use script::{Loading, Script, candidates, find};
