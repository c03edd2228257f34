//! The built-in HTTP client.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls_platform_verifier::Verifier;
use url::{Host, Url};

use super::{HttpClient, HttpError, Reach};

mod resolve;

use resolve::{Forbidden, Lookup, Resolver};

/// Sends requests over HTTP/1.1 with rustls, and keeps to the rules of [`HttpClient`]: no redirects, no
/// cookies, no proxy, and no address outside the request's [`Reach`], whether it is in the URL or a name
/// stands for it.
///
/// Certificates are checked as the platform does it; where the system has no certificates of its own, as in
/// an empty container, against those that Mozilla trusts.
///
/// It is cheap to make: the connections and certificates are set up with the first request. Clones share
/// them. It needs a Tokio runtime.
///
/// ```
/// use hallpass::http::{Client, Limits};
/// use std::time::Duration;
///
/// let patient = Client::with_limits(Limits { total: Duration::from_secs(20), ..Limits::DEFAULT });
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    limits: Limits,
    lookup: Lookup,
    /// One per reach, so that no connection outlives the rule under which it was made.
    public: OnceLock<reqwest::Client>,
    loopback: OnceLock<reqwest::Client>,
    private_network: OnceLock<reqwest::Client>,
    named: OnceLock<reqwest::Client>,
}

/// How long a [`Client`] waits and how much it takes.
///
/// New fields may come with any release: end every literal with `..Limits::DEFAULT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection stands, TLS included. Default: 2 seconds.
    pub connect: Duration,
    /// Until the whole answer is there, connecting included. Default: 5 seconds.
    pub total: Duration,
    /// Size of a body in bytes, after decompression. Default: 1 MiB.
    pub body: usize,
    /// Size of all headers in bytes. Default: 64 KiB. While they are read there may be 100 headers, and
    /// about 400 KiB are held at most.
    pub headers: usize,
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(2),
        total: Duration::from_secs(5),
        body: 1024 * 1024,
        headers: 64 * 1024,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Client {
    /// With the limits of [`Limits::DEFAULT`].
    pub fn new() -> Self {
        Self::with_limits(Limits::DEFAULT)
    }

    /// With limits of one's own.
    pub fn with_limits(limits: Limits) -> Self {
        Self::with_lookup(limits, resolve::system())
    }

    fn with_lookup(limits: Limits, lookup: Lookup) -> Self {
        let [public, loopback, private_network, named] = [const { OnceLock::new() }; 4];
        Self { inner: Arc::new(Inner { limits, lookup, public, loopback, private_network, named }) }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}

impl HttpClient for Client {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        Box::pin(async move {
            tokio::time::timeout(self.inner.limits.total, self.inner.exchange(request))
                .await
                .unwrap_or(Err(HttpError::TimedOut))
        })
    }
}

impl Inner {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let reach = request.extensions().get::<Reach>().copied().unwrap_or_default();
        let url = check_url(&request.uri().to_string(), reach)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let (parts, body) = request.into_parts();

        let mut answer = self
            .client(reach)?
            .request(parts.method, url)
            .headers(parts.headers)
            .body(body)
            .send()
            .await
            .map_err(|error| refusal(error, &host))?;

        let limit = self.limits.headers;
        if size(answer.headers()) > limit {
            return Err(HttpError::TooLarge { limit });
        }
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        *response.body_mut() = self.body(answer, &host).await?;
        Ok(response)
    }

    /// Collects the body piece by piece, so that a small answer which decompresses to a huge one ends early.
    async fn body(&self, mut answer: reqwest::Response, host: &str) -> Result<Bytes, HttpError> {
        let limit = self.limits.body;
        let mut body = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| refusal(error, host))? {
            if piece.len() > limit.saturating_sub(body.len()) {
                return Err(HttpError::TooLarge { limit });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    fn client(&self, reach: Reach) -> Result<&reqwest::Client, HttpError> {
        let cell = match reach {
            Reach::Public => &self.public,
            Reach::Loopback => &self.loopback,
            Reach::PrivateNetwork => &self.private_network,
            Reach::Named => &self.named,
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = self.build(reach).map_err(HttpError::Connection)?;
        Ok(cell.get_or_init(|| client))
    }

    fn build(&self, reach: Reach) -> Result<reqwest::Client, Box<dyn Error + Send + Sync>> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .dns_resolver(Resolver { reach, lookup: self.lookup.clone() })
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .connect_timeout(self.limits.connect)
            .pool_max_idle_per_host(2)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()?;
        Ok(client)
    }
}

/// The checks that need no name resolution. A name is checked by [`Resolver`], which an address in the URL
/// never meets.
fn check_url(text: &str, reach: Reach) -> Result<Url, HttpError> {
    let forbidden = |host: &str, why| HttpError::Forbidden { host: host.to_owned(), why };
    let url = Url::parse(text).map_err(|_| forbidden("the address", "not a URL"))?;
    let Some(host) = url.host() else { return Err(forbidden("the address", "no host")) };
    let ip = match host {
        Host::Domain(_) => None,
        Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
    };
    let name = host.to_string();
    let plain_http = url.scheme() == "http"
        && (reach == Reach::Named || (Reach::is_loopback(&host) && reach == Reach::Loopback));
    if url.scheme() != "https" && !plain_http {
        return Err(forbidden(&name, "not https"));
    }
    if ip.is_some_and(|ip| !reach.allows(ip)) {
        return Err(forbidden(&name, resolve::OUT_OF_REACH));
    }
    // They would be sent as a header that the request does not hold.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(forbidden(&name, "a user name or password in the address"));
    }
    Ok(url)
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let mut config = match Verifier::new(provider) {
        Ok(platform) => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(platform)).with_no_client_auth()
        }
        Err(_) => builder.with_root_certificates(mozilla()).with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn mozilla() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    roots
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

fn refusal(error: reqwest::Error, host: &str) -> HttpError {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<Forbidden>() {
            return HttpError::Forbidden { host: host.to_owned(), why: resolve::OUT_OF_REACH };
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        return HttpError::TimedOut;
    }
    // The query of an address may hold a token.
    HttpError::Connection(Box::new(error.without_url()))
}

#[cfg(test)]
mod tests;
