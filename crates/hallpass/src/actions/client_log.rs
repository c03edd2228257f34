//! `POST /_log`: a client of next-auth 4 reports. It is believed in nothing, so it needs no CSRF token.

use std::panic::AssertUnwindSafe;

use http::StatusCode;
use serde_json::Value;

use crate::config::Config;
use crate::hooks::ClientLog;
use crate::request::Inbound;
use crate::respond::{Body, Outcome};

pub(crate) fn run(config: &Config, inbound: &Inbound) -> Outcome {
    let log = ClientLog::of(&inbound.body);
    // As JSON: control characters are escaped, so that nobody can write a line of their own.
    let fields = Value::Object(log.fields.clone()).to_string();
    tracing::info!(level = log.level, code = log.code, fields, "a client reports");
    if let Some(hook) = &config.hooks.client_log
        && std::panic::catch_unwind(AssertUnwindSafe(|| hook(&log, &inbound.info))).is_err()
    {
        tracing::error!("on_client_log panicked");
    }
    Outcome::new(Body::Text(StatusCode::OK, ""))
}
