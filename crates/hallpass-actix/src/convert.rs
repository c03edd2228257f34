//! Requests and responses between actix-web, which speaks version 0.2 of the crate `http`, and Hallpass.

use actix_web::http::header::{
    HeaderMap as ActixHeaders, HeaderName as ActixName, HeaderValue as ActixValue,
};
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use hallpass::Peer;
use hallpass::shell::Renewals;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};

/// The head of a request; `None` where it is none that Hallpass could read.
pub(crate) fn parts(request: &HttpRequest) -> Option<Parts> {
    let uri = match (request.uri().authority(), request.uri().path_and_query()) {
        (None, Some(path)) => Uri::try_from(path.as_str()),
        _ => Uri::try_from(request.uri().to_string()),
    };
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::from_bytes(request.method().as_str().as_bytes()).ok()?;
    parts.uri = uri.ok()?;
    parts.headers.reserve(request.headers().len());
    for (name, value) in request.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        parts.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    // Behind a proxy somebody else has found out who the visitor is.
    let told = request.extensions().get::<Peer>().copied();
    if let Some(peer) = told.or_else(|| Some(Peer(request.peer_addr()?.ip().to_canonical()))) {
        parts.extensions.insert(peer);
    }
    Some(parts)
}

/// Hallpass' answer.
pub(crate) fn response(answer: Response<Bytes>) -> HttpResponse {
    let (parts, body) = answer.into_parts();
    let status = StatusCode::from_u16(parts.status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponseBuilder::new(status).body(body);
    // What was not in the answer is not added: `body` guesses a type.
    response.headers_mut().remove(header::CONTENT_TYPE);
    append(response.headers_mut(), &parts.headers);
    response
}

/// Puts the cookies that this request has renewed into its answer.
pub(crate) fn deliver(renewals: &Renewals, headers: &mut ActixHeaders) {
    let mut ours = HeaderMap::new();
    let cacheable = headers.get(header::CACHE_CONTROL).map(|value| HeaderValue::from_bytes(value.as_bytes()));
    if let Some(Ok(cacheable)) = cacheable {
        ours.insert(http::header::CACHE_CONTROL, cacheable);
    }
    renewals.deliver(&mut ours);
    if ours.contains_key(http::header::SET_COOKIE) {
        headers.remove(header::CACHE_CONTROL);
        append(headers, &ours);
    }
}

fn append(headers: &mut ActixHeaders, ours: &HeaderMap) {
    for (name, value) in ours {
        let name = ActixName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, ActixValue::from_bytes(value.as_bytes())) {
            headers.append(name, value);
        }
    }
}
