//! `fetch`: the addresses that callbacks may ask, and how.

use bytes::Bytes;
use hallpass::http::{Client, HttpClient, HttpError, Limits, Reach};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Host, Origin, Url};

/// Asks other servers for callbacks.
#[derive(Debug)]
pub(crate) struct Fetch {
    client: Client,
    /// Where relative addresses lead.
    base: Option<Url>,
    /// Origins that may be asked; `None`: all that are public.
    allowed: Option<Vec<Origin>>,
}

/// Why there is no answer.
#[derive(Debug)]
struct Failed {
    message: String,
    /// Whether the server is away or does not answer, which says nothing about anybody.
    is_unreachable: bool,
}

impl From<String> for Failed {
    fn from(message: String) -> Self {
        Self { message, is_unreachable: false }
    }
}

impl From<&str> for Failed {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

#[derive(Deserialize)]
struct Asked {
    url: String,
    method: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    redirect: String,
}

impl Fetch {
    pub(super) fn new(base: Option<Url>, allowed: Option<Vec<Origin>>, limits: Limits) -> Self {
        Self { client: Client::with_limits(limits), base, allowed }
    }

    /// Sends what the program asked for. The answer is JSON; that nobody answered is an answer too.
    ///
    /// # Errors
    /// When the request is none.
    pub(super) async fn answer(&self, asked: &str) -> Result<String, String> {
        let asked: Asked = serde_json::from_str(asked).map_err(|error| error.to_string())?;
        Ok(match self.follow(asked).await {
            Ok(answer) => answer.to_string(),
            Err(Failed { message, is_unreachable }) => {
                json!({ "failed": message, "unreachable": is_unreachable }).to_string()
            }
        })
    }

    async fn follow(&self, asked: Asked) -> Result<Value, Failed> {
        let mut url = self.resolve(&asked.url)?;
        let mut method = Method::from_bytes(asked.method.as_bytes()).map_err(|_| "the method is unknown")?;
        let mut headers = asked.headers;
        let mut body = asked.body.unwrap_or_default();
        for times in 0..=MOST_REDIRECTS {
            let response = self.send(&url, &method, &headers, &body).await?;
            let status = response.status();
            let location = response.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
            let Some(location) = location.filter(|_| is_redirect(status) && asked.redirect != "manual")
            else {
                return Ok(described(&url, &response, times > 0));
            };
            if asked.redirect == "error" {
                return Err(format!("{} answers with a redirect", shown(&url)).into());
            }
            let target = self
                .resolve(url.join(location).as_ref().map_or("", Url::as_str))
                .map_err(|_| "the redirect leads nowhere")?;
            if target.origin() != url.origin() {
                // What was meant for one server is not for another.
                headers.retain(|(name, _)| {
                    !matches!(name.as_str(), "authorization" | "cookie" | "proxy-authorization")
                });
            }
            let keeps = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            if !keeps
                && (method == Method::POST || (status == StatusCode::SEE_OTHER && method != Method::HEAD))
            {
                method = Method::GET;
                body.clear();
                headers.retain(|(name, _)| !name.starts_with("content-"));
            }
            url = target;
        }
        Err(format!("more than {MOST_REDIRECTS} redirects").into())
    }

    fn resolve(&self, url: &str) -> Result<Url, String> {
        match (Url::parse(url), &self.base) {
            (Ok(url), _) if !matches!(url.scheme(), "http" | "https") => {
                Err(format!("a {} address may not be asked", url.scheme()))
            }
            (Ok(url), _) => Ok(url),
            (Err(_), Some(base)) => base.join(url).map_err(|_| "the address is not a URL".to_owned()),
            (Err(_), None) => Err("the address is relative: set `base_url` in [fetch], or `url`".to_owned()),
        }
    }

    /// What may be reached there, by what the settings say and nothing else.
    fn reach(&self, url: &Url) -> Result<Reach, String> {
        let origin = url.origin();
        let is_base = self.base.as_ref().is_some_and(|base| base.origin() == origin);
        let is_listed = self.allowed.as_ref().is_some_and(|allowed| allowed.contains(&origin));
        if is_base || is_listed {
            return Ok(match (url.scheme(), is_loopback(url)) {
                (_, true) => Reach::Loopback,
                ("http", false) => Reach::Named,
                _ => Reach::PrivateNetwork,
            });
        }
        if self.allowed.is_some() {
            return Err(format!("{} may not be asked: it is not under `allow` in [fetch]", shown(url)));
        }
        Ok(Reach::Public)
    }

    async fn send(
        &self,
        url: &Url,
        method: &Method,
        headers: &[(String, String)],
        body: &str,
    ) -> Result<Response<Bytes>, Failed> {
        let reach = self.reach(url)?;
        let mut address = url.clone();
        address.set_fragment(None);
        let mut request = Request::new(Bytes::copy_from_slice(body.as_bytes()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = address.as_str().parse().map_err(|_| "the address is not a URL")?;
        for (name, value) in headers {
            let name: HeaderName = name.parse().map_err(|_| "the name of a header is wrong")?;
            if REFUSED_HEADERS.contains(&name) {
                continue;
            }
            let value = HeaderValue::from_str(value).map_err(|_| "the value of a header is wrong")?;
            request.headers_mut().append(name, value);
        }
        request.headers_mut().entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        request.headers_mut().entry(header::USER_AGENT).or_insert(HeaderValue::from_static("hallpass"));
        request.extensions_mut().insert(reach);
        self.client.send(request).await.map_err(|error| match error {
            HttpError::Connection(_) => {
                Failed { message: format!("{} does not answer", shown(url)), is_unreachable: true }
            }
            HttpError::TimedOut => {
                Failed { message: format!("{} does not answer in time", shown(url)), is_unreachable: true }
            }
            other => other.to_string().into(),
        })
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Without path and query, which may hold tokens.
fn shown(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn described(url: &Url, response: &Response<Bytes>, redirected: bool) -> Value {
    let headers: Vec<_> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    json!({
        "status": response.status().as_u16(),
        "statusText": response.status().canonical_reason().unwrap_or_default(),
        "headers": headers,
        "body": String::from_utf8_lossy(response.body()),
        "url": url.as_str(),
        "redirected": redirected,
    })
}

const MOST_REDIRECTS: usize = 5;

/// The client makes them.
const REFUSED_HEADERS: [HeaderName; 5] =
    [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::EXPECT];
