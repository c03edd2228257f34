//! Whether the public address leads to this server, with everything that a proxy has to pass on.

use bytes::Bytes;
use hallpass::{Auth, with_causes};
use http::Response;
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use serde_json::{Map, Value};
use url::Url;

use crate::config::{Config, is_loopback_host};

use super::client::Asking;
use super::finding::Finding;
use super::{Place, cors};

pub(super) async fn findings(
    config: &Config,
    asking: &Asking,
    place: &Place,
    auth: Option<&Auth>,
) -> Vec<Finding> {
    if place.is_unknown {
        let cure = "set `url` (AUTH_URL), or say it here: hallpass doctor --url https://app.example.com";
        return vec![Finding::warning(ADDRESS, "only the proxy knows the address of the site", cure)];
    }
    let mut findings = scheme(config, place);
    let url = format!("{}/providers", place.base);
    let answer = match asking.get_named(&url).await {
        Ok(answer) => answer,
        Err(error) => {
            let cure = format!(
                "start the server (it listens at {}), and look at DNS, proxy, firewall and certificate",
                config.listen
            );
            findings.push(Finding::problem(
                ADDRESS,
                format!("{url} does not answer: {}", with_causes(&error)),
                cure,
            ));
            return findings;
        }
    };
    let said = match read(config, place, &answer) {
        Ok(said) => said,
        Err(finding) => {
            findings.push(finding);
            return findings;
        }
    };
    findings.push(same_server(place, auth, &said));
    findings.push(forwarded(config, place, &said));
    if let Ok(answer) = asking.get_named(&format!("{}/csrf", place.base)).await {
        findings.extend(cookies(place, &answer));
    }
    findings.extend(cors::findings(config, asking, place).await);
    findings
}

fn scheme(config: &Config, place: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_local = is_loopback_host(&place.host());
    if !place.is_https() && !is_local {
        findings.push(Finding::problem(
            ADDRESS,
            format!("{} is not https: whoever is on the way can take over sessions", place.origin),
            "let a proxy do TLS, and set `url` to the https address",
        ));
    }
    match config.secure_cookies() {
        Some(false) if place.is_https() => findings.push(Finding::warning(
            COOKIES,
            "`secure_cookies` is false on a site with https: cookies go over http too",
            "take `secure_cookies` out",
        )),
        Some(true) if !place.is_https() && !is_local => findings.push(Finding::problem(
            COOKIES,
            "`secure_cookies` is true on a site without https: browsers refuse the cookies",
            "take `secure_cookies` out, or serve the site over https",
        )),
        _ => {}
    }
    findings
}

/// The answer of `GET /providers`, if it is one of Hallpass or Auth.js.
fn read(config: &Config, place: &Place, answer: &Response<Bytes>) -> Result<Map<String, Value>, Finding> {
    let status = answer.status();
    let url = format!("{}/providers", place.base);
    let path = Url::parse(&place.base).map(|url| url.path().to_owned()).unwrap_or_default();
    let pass = format!("let the proxy pass everything below {path} on to {}", config.listen);
    if status.is_redirection() {
        let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
        let to = Url::parse(&url).and_then(|url| url.join(to)).map_or_else(|_| to.to_owned(), Into::into);
        let other = to.strip_suffix(&format!("{path}/providers"));
        let cure = match other {
            Some(origin) => format!("set `url` to {origin}, where the site is"),
            None => pass,
        };
        return Err(Finding::problem(ADDRESS, format!("{url} leads elsewhere: {}", shown(&to)), cure));
    }
    if !status.is_success() {
        return Err(Finding::problem(
            ADDRESS,
            format!("{url} answers with status {}", status.as_u16()),
            pass,
        ));
    }
    let is_provider = |it: &Value| it.get("callbackUrl").is_some_and(Value::is_string);
    match serde_json::from_slice::<Map<String, Value>>(answer.body()) {
        Ok(said) if !said.is_empty() && said.values().all(is_provider) => Ok(said),
        _ => Err(Finding::problem(ADDRESS, format!("{url} is answered, but not by Hallpass"), pass)),
    }
}

fn same_server(place: &Place, auth: Option<&Auth>, said: &Map<String, Value>) -> Finding {
    let base = &place.base;
    let Some(auth) = auth else {
        return Finding::ok(ADDRESS, format!("{base} leads to a Hallpass"));
    };
    let ours: Vec<_> = auth.providers(&place.origin).into_iter().map(|provider| provider.id).collect();
    let more: Vec<_> = said.keys().filter(|id| !ours.contains(id)).map(String::as_str).collect();
    let less: Vec<_> = ours.iter().filter(|id| !said.contains_key(*id)).map(String::as_str).collect();
    if more.is_empty() && less.is_empty() {
        return Finding::ok(ADDRESS, format!("{base} leads to a Hallpass with these providers"));
    }
    let list = |what: &str, ids: &[&str]| match ids {
        [] => String::new(),
        ids => format!("; {what} {}", shown(&ids.join(", "))),
    };
    Finding::warning(
        ADDRESS,
        format!(
            "{base} leads to a Hallpass with other providers{}{}",
            list("it alone has", &more),
            list("it lacks", &less)
        ),
        "restart the server, so that it has these settings; or it is another one",
    )
}

/// The addresses that the server tells are those that it sends browsers and providers to.
fn forwarded(config: &Config, place: &Place, said: &Map<String, Value>) -> Finding {
    let told =
        said.values().find_map(|it| it.get("callbackUrl")?.as_str()).and_then(|it| Url::parse(it).ok());
    let Some(told) = told else { return Finding::warning(PROXY, "the server tells no addresses", "") };
    let told_origin = told.origin().ascii_serialization();
    if told_origin == place.origin {
        return Finding::ok(PROXY, format!("the server knows that it is {}", place.origin));
    }
    let ours = Url::parse(&place.origin).ok();
    let same_host = ours.as_ref().is_some_and(|ours| ours.host_str() == told.host_str());
    let told_origin = shown(&told_origin);
    if !place.is_from_proxy && config.url.is_some() {
        return Finding::problem(
            PROXY,
            format!("the server takes itself for {told_origin}, not for {}", place.origin),
            "restart it with this `url`; or it is another server",
        );
    }
    let (what, cure) = match same_host && place.is_https() {
        true => (
            format!(
                "the server takes itself for {told_origin}: the proxy does not say that browsers use https"
            ),
            "let the proxy set X-Forwarded-Proto (nginx: proxy_set_header X-Forwarded-Proto $scheme), or set `url`",
        ),
        false => (
            format!("the server takes itself for {told_origin}: the proxy does not pass on the host"),
            "let the proxy pass Host (nginx: proxy_set_header Host $host), or X-Forwarded-Host; or set `url`",
        ),
    };
    match config.edge.proxies {
        Some(_) => Finding::problem(PROXY, what, format!("{cure}; and name the proxy in `trusted_proxies`")),
        None => Finding::problem(PROXY, what, cure),
    }
}

fn cookies(place: &Place, answer: &Response<Bytes>) -> Vec<Finding> {
    let all: Vec<&str> =
        answer.headers().get_all(SET_COOKIE).iter().filter_map(|it| it.to_str().ok()).collect();
    let mut findings = Vec::new();
    if all.is_empty() {
        let cure = "let the proxy pass Set-Cookie on, and cache nothing below this path";
        findings.push(Finding::problem(COOKIES, "no cookie arrives", cure));
        return findings;
    }
    let attribute = |cookie: &str, name: &str| {
        let attributes =
            cookie.split(';').skip(1).map(|it| it.trim().split_once('=').unwrap_or_else(|| (it.trim(), "")));
        attributes
            .into_iter()
            .find(|(it, _)| it.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let host = place.host();
    for cookie in &all {
        let name = shown(cookie.split('=').next().unwrap_or_default());
        let is_secure = attribute(cookie, "secure").is_some();
        let domain = attribute(cookie, "domain").map(|it| it.trim_start_matches('.').to_ascii_lowercase());
        if place.is_https() && !is_secure {
            findings.push(Finding::problem(
                COOKIES,
                format!("the cookie {name} is not Secure on a site with https"),
                "set `url` to the https address, or let the proxy set X-Forwarded-Proto",
            ));
        }
        if !place.is_https() && is_secure && !is_loopback_host(&host) {
            findings.push(Finding::problem(
                COOKIES,
                format!("the cookie {name} is Secure on a site without https: browsers refuse it"),
                "serve the site over https, or take `secure_cookies` out",
            ));
        }
        if let Some(domain) = domain {
            if host != domain && !host.ends_with(&format!(".{domain}")) {
                findings.push(Finding::problem(
                    COOKIES,
                    format!(
                        "the cookie {name} is for {}, which {host} is not part of: browsers refuse it",
                        shown(&domain)
                    ),
                    "set the domain of the cookie to the site's, or leave it out",
                ));
            }
            if name.starts_with("__Host-") {
                findings.push(Finding::problem(
                    COOKIES,
                    format!("the cookie {name} has a domain, which its prefix forbids: browsers refuse it"),
                    "give it another name, such as one with __Secure-, or leave the domain out",
                ));
            }
        }
        if name.starts_with("__Host-") && attribute(cookie, "path").as_deref() != Some("/") {
            findings.push(Finding::problem(
                COOKIES,
                format!("the cookie {name} needs the path /: browsers refuse it"),
                "let the proxy leave the path of cookies alone (nginx: no proxy_cookie_path)",
            ));
        }
    }
    let caching = answer.headers().get(CACHE_CONTROL).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if !caching.contains("no-store") && !caching.contains("no-cache") {
        findings.push(Finding::problem(
            PROXY,
            "something on the way has changed what may be cached: one visitor may get another's answer",
            "let the proxy pass Cache-Control on as it is, and cache nothing below this path",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(COOKIES, "arrive as browsers want them"));
    }
    findings
}

/// What a stranger says, cut and without control characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

const ADDRESS: &str = "address";

const PROXY: &str = "proxy";

const COOKIES: &str = "cookies";
