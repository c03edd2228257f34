//! `GET /verify-request`: "look into your mail".

use crate::core::Ready;
use crate::error::{Error, ErrorKind};
use crate::pages::VerifyRequestPage;
use crate::redirect;
use crate::respond::{Body, Outcome};
use crate::verify::Verified;

pub(super) fn page(ready: &Ready, request: &Verified<'_>) -> Result<Outcome, Error> {
    if let Some(own) = &ready.config.paths.verify_request {
        let query = request.inbound.info.query_pairs();
        let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let to = redirect::with_query(own, &query);
        return Ok(Outcome::new(Body::Redirect { to, as_json: request.inbound.return_redirect }));
    }
    let site = request.site.origin.split_once("://").map_or("", |(_, host)| host);
    let page = VerifyRequestPage { site, back_url: &request.site.origin };
    let html = ready.config.pages.verify_request(&page);
    Ok(Outcome::page(
        html.map_err(|error| Error::caused_by(ErrorKind::Configuration, "the page failed", error))?,
    ))
}
