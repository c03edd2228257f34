//! `GET /session`: who is signed in. `POST /session`: the same, with a change that the application may take.

use http::StatusCode;
use serde_json::Value;

use crate::core::Ready;
use crate::error::Error;
use crate::respond::{Body, Outcome};
use crate::session::Trigger;
use crate::verify::Verified;

pub(super) async fn run(ready: &Ready, request: &Verified<'_>) -> Result<Outcome, Error> {
    let is_post = request.inbound.is_post();
    let trigger = if is_post {
        request.csrf.require()?;
        Trigger::Update(request.inbound.body.get("data").cloned())
    } else {
        match request.inbound.info.query_pairs() {
            [] => Trigger::Read,
            named => {
                let data = named.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
                Trigger::Update(Some(data.collect()))
            }
        }
    };
    let (body, cookies) = request.source(ready).show(trigger).await?;
    Ok(Outcome { no_cache: !is_post, ..Outcome::new(Body::Json(StatusCode::OK, body)).with_cookies(cookies) })
}
