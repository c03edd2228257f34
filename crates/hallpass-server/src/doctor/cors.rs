//! Whether front ends at other origins may read answers, and nobody else.

use bytes::Bytes;
use hallpass::SameSite;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use http::{Method, Request, Response};
use url::{Host, Url};

use crate::config::Config;

use super::Place;
use super::client::Asking;
use super::finding::Finding;

/// To be asked where the public address leads to Hallpass.
pub(super) async fn findings(config: &Config, asking: &Asking, place: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(answer) = ask(asking, place, Method::GET, STRANGER).await
        && allowed(&answer).iter().any(|origin| origin == STRANGER || origin == "*")
    {
        findings.push(Finding::problem(
            CHECK,
            "every site may read answers: something in front of Hallpass adds headers for CORS",
            "take Access-Control-* out of the proxy, and list origins in [cors]",
        ));
    }
    for origin in &config.edge.cors {
        findings.extend(one(config, asking, place, origin).await);
    }
    findings
}

async fn one(config: &Config, asking: &Asking, place: &Place, origin: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for method in [Method::GET, Method::OPTIONS] {
        let Some(answer) = ask(asking, place, method.clone(), origin).await else { continue };
        let allowed = allowed(&answer);
        let problem = |message: String| {
            let cure = "restart the server, so that it has this [cors]; let the proxy pass OPTIONS and Access-Control-* on, and add none";
            Finding::problem(CHECK, message, cure)
        };
        let with_credentials =
            answer.headers().get(ACCESS_CONTROL_ALLOW_CREDENTIALS).is_some_and(|it| it == "true");
        let [only] = allowed.as_slice() else {
            let count = if allowed.is_empty() { "no" } else { "more than one" };
            findings
                .push(problem(format!("{origin} gets {count} Access-Control-Allow-Origin with {method}")));
            continue;
        };
        if only != origin || !with_credentials {
            findings.push(problem(format!("{origin} may not read answers with {method}")));
        }
    }
    let cookies_go_along =
        same_site(&place.origin, origin) || config.edge.cookies.same_site == Some(SameSite::None);
    if !cookies_go_along {
        findings.push(Finding::warning(
            CHECK,
            format!("{origin} is another site than {}: browsers send no cookies from there", place.origin),
            "set `same_site = \"none\"` in [cookies], or serve both below one domain",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, format!("{origin} may read answers")));
    }
    findings
}

async fn ask(asking: &Asking, place: &Place, method: Method, origin: &str) -> Option<Response<Bytes>> {
    let mut request =
        Request::builder().method(&method).uri(format!("{}/session", place.base)).header(ORIGIN, origin);
    if method == Method::OPTIONS {
        request = request
            .header(ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(ACCESS_CONTROL_REQUEST_HEADERS, "content-type");
    }
    asking.send_named(request.body(Bytes::new()).ok()?).await.ok()
}

fn allowed(answer: &Response<Bytes>) -> Vec<String> {
    let all = answer.headers().get_all(ACCESS_CONTROL_ALLOW_ORIGIN).iter();
    all.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect()
}

/// Whether cookies with `SameSite=Lax` go along: as near as one comes without the list of public suffixes.
fn same_site(one: &str, other: &str) -> bool {
    let site = |origin: &str| {
        let url = Url::parse(origin).ok()?;
        let site = match url.host()? {
            Host::Domain(name) => {
                let mut labels: Vec<_> = name.rsplit('.').take(2).collect();
                labels.reverse();
                labels.join(".")
            }
            address => address.to_string(),
        };
        Some((url.scheme().to_owned(), site))
    };
    site(one).is_some_and(|one| Some(one) == site(other))
}

const CHECK: &str = "cors";

/// Nobody's site (RFC 6761).
const STRANGER: &str = "https://stranger.invalid";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_below_one_domain_are_one_site() {
        for (one, other, is) in [
            ("https://auth.example.com", "https://app.example.com:8443", true),
            ("https://auth.example.com", "http://app.example.com", false),
            ("https://auth.example.com", "https://auth.example.net", false),
            ("http://localhost:3000", "http://localhost:5173", true),
            ("http://127.0.0.1:1", "http://127.0.0.2:1", false),
        ] {
            assert_eq!(same_site(one, other), is, "{one} {other}");
        }
    }
}
