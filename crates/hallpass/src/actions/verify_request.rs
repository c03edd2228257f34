//! `GET /verify-request`: "look into your mail".

use crate::core::Ready;
use crate::error::{Error, ErrorKind};
use crate::pages::VerifyRequestPage;
use crate::redirect;
use crate::respond::{Body, Outcome};
use crate::verify::Verified;

pub(super) fn page(ready: &Ready, request: &Verified<'_>) -> Result<Outcome, Error> {
    let config = &ready.config;
    if let Some(own) = &config.paths.verify_request {
        let passes_query = config.dialects.written().passes_query_to_verify_request();
        let query = if passes_query { request.inbound.info.query_pairs() } else { &[] };
        let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let to = redirect::with_query(own, &query);
        return Ok(Outcome::new(Body::Redirect { to, as_json: request.inbound.as_json }));
    }
    let site = request.site.origin.split_once("://").map_or("", |(_, host)| host);
    let page = VerifyRequestPage { site, back_url: &request.site.origin };
    let html = ready.config.pages.verify_request(&page);
    Ok(Outcome::page(
        html.map_err(|error| Error::caused_by(ErrorKind::Configuration, "the page failed", error))?,
    ))
}
