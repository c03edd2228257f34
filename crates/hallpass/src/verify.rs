//! What came in is judged: site, provider, CSRF token, callback address. Only then does an action run.

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::{Config, Forwarded, ProviderEntry, TrustHost};
use crate::cookie::{CookieChange, CookieKind};
use crate::core::Ready;
use crate::hex::hex;
use crate::redirect;
use crate::request::{Inbound, RequestInfo};
use crate::session::Source;
use crate::{Error, ErrorKind, Secret};

/// The site as the browser sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// Scheme, host and port: `https://app.example.com`.
    pub(crate) origin: String,
    pub(crate) secure: bool,
}

impl Site {
    /// The configured origin, or else what the request says where its host is trusted.
    ///
    /// # Errors
    /// [`ErrorKind::UntrustedHost`] when the host is not trusted, [`ErrorKind::UnknownAction`] when it is none.
    pub(crate) fn of(info: &RequestInfo, config: &Config) -> Result<Self, Error> {
        if let Some(origin) = &config.origin {
            return Ok(Self { origin: origin.clone(), secure: origin.starts_with("https:") });
        }
        if config.trust_host == TrustHost::Nobody {
            return Err(untrusted());
        }
        let headers = info.headers();
        let forwards_host =
            config.trust_host == TrustHost::Any && config.forwarded == Forwarded::ProtoAndHost;
        let name = match forwards_host && headers.contains_key(FORWARDED_HOST) {
            true => FORWARDED_HOST,
            false => HOST,
        };
        // Of two hosts one is not the proxy's.
        let mut hosts = headers.get_all(name).iter();
        let host = hosts.next().filter(|_| hosts.next().is_none()).and_then(|value| value.to_str().ok());
        let host = host.unwrap_or_default();
        let authority = host.parse::<Authority>().ok().filter(|authority| {
            is_host(host) && (authority.host().len() == host.len() || authority.port_u16().is_some())
        });
        let authority =
            authority.ok_or_else(|| Error::new(ErrorKind::UnknownAction, "the request names no host"))?;
        if config.trust_host == TrustHost::Loopback && !is_loopback(authority.host()) {
            return Err(untrusted());
        }
        let proto = forwarded_proto(headers);
        let secure = match forwards_host {
            true => config.dialects.written().is_https(proto),
            false => config.forwarded != Forwarded::Ignored && proto == Some("https"),
        };
        let scheme = if secure { "https" } else { "http" };
        Ok(Self { origin: [scheme, "://", host].concat(), secure })
    }

    /// The site that the request names, for a redirect to itself: whoever forges it is sent where they said.
    pub(crate) fn claimed(info: &RequestInfo) -> Option<Self> {
        let host = info.header(HOST).filter(|host| is_host(host))?;
        Some(Self { origin: format!("http://{host}"), secure: false })
    }

    /// The address of an action: `https://app.example.com/api/auth/signin`.
    pub(crate) fn url(&self, config: &Config, path: &str) -> String {
        format!("{}{}/{path}", self.origin, config.base_path)
    }
}

fn untrusted() -> Error {
    Error::new(
        ErrorKind::UntrustedHost,
        "the host of the request is not trusted: set AUTH_URL, or AUTH_TRUST_HOST behind a proxy that sets the host",
    )
}

/// A host with perhaps a port, and nothing that would end it early in an address.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']'))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare.ends_with(".localhost")
        || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// The scheme between browser and proxy; of a list the first, which the outermost proxy wrote.
fn forwarded_proto(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-forwarded-proto")?.to_str().ok()?.split(',').next().map(str::trim)
}

/// The CSRF token of this browser.
pub(crate) struct Csrf {
    /// The token, unless the check is switched off.
    pub(crate) token: Option<String>,
    verified: bool,
}

impl Csrf {
    /// # Errors
    /// [`ErrorKind::MissingCsrf`] unless the request carried the token that belongs to its cookie.
    pub(crate) fn require(&self) -> Result<(), Error> {
        if self.verified {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::MissingCsrf,
            "the CSRF token is missing or wrong, or another site sent the request",
        ))
    }
}

/// A request that passed every check that does not depend on its action. There is no other way to get one.
pub(crate) struct Verified<'c> {
    pub(crate) inbound: Inbound,
    pub(crate) site: Site,
    pub(crate) provider: Option<&'c ProviderEntry>,
    pub(crate) csrf: Csrf,
    /// Where the browser goes afterwards. It went through the redirect rules.
    pub(crate) callback_url: String,
    /// The CSRF and callback cookies, where they are new.
    pub(crate) cookies: Vec<CookieChange>,
}

impl<'c> Verified<'c> {
    /// The session of the browser that sent the request.
    pub(crate) fn source<'a>(&'a self, ready: &'a Ready) -> Source<'a> {
        Source {
            config: &ready.config,
            info: &self.inbound.info,
            cookies: &self.inbound.cookies,
            secure: self.site.secure,
            now: ready.config.clock.now(),
        }
    }

    /// # Errors
    /// [`ErrorKind::InvalidProvider`] for a provider that is not configured, and whatever the `redirect`
    /// callback says.
    pub(crate) async fn new(inbound: Inbound, site: Site, config: &'c Config) -> Result<Self, Error> {
        let provider = match &inbound.provider {
            None => None,
            Some(id) => Some(
                config
                    .provider(id)
                    .ok_or_else(|| Error::new(ErrorKind::InvalidProvider, "no such provider"))?,
            ),
        };
        let mut cookies = Vec::new();
        let csrf = csrf(&inbound, &site, config, &mut cookies)?;
        let callback_url = callback_url(&inbound, &site, config, &mut cookies).await?;
        Ok(Self { inbound, site, provider, csrf, callback_url, cookies })
    }
}

fn csrf(
    inbound: &Inbound,
    site: &Site,
    config: &Config,
    cookies: &mut Vec<CookieChange>,
) -> Result<Csrf, Error> {
    let spec = config.cookie(CookieKind::CsrfToken, site.secure);
    if config.skip_csrf_check {
        return Ok(Csrf { token: None, verified: true });
    }
    // One token for all dialects: it is made alike, and no client looks at the name of its cookie.
    let mut known = config.each_cookie(CookieKind::CsrfToken, site.secure).filter_map(|spec| {
        let cookie = inbound.cookies.get(&spec.name)?;
        known_token(&cookie, &config.secrets).map(str::to_owned)
    });
    if let Some(token) = known.next() {
        let sent = inbound.is_post().then(|| inbound.field("csrfToken")).flatten();
        let same = sent.is_some_and(|sent| sent.as_bytes().ct_eq(token.as_bytes()).into());
        let verified = same && is_same_site(&inbound.info, &site.origin, &config.trusted_origins);
        return Ok(Csrf { token: Some(token), verified });
    }
    let mut bytes = [0; 32];
    config.random.fill(&mut bytes)?;
    let token = hex(&bytes);
    let Some(secret) = config.secrets.first() else {
        return Err(Error::new(ErrorKind::MissingSecret, "there is no secret"));
    };
    cookies.push(spec.set(&format!("{token}|{}", proof(&token, secret))));
    Ok(Csrf { token: Some(token), verified: false })
}

/// The token in a CSRF cookie, if one of the secrets has made it.
fn known_token<'a>(cookie: &'a str, secrets: &[Secret]) -> Option<&'a str> {
    let mut parts = cookie.split('|');
    let (token, hash) = (parts.next()?, parts.next()?);
    let is_ours = |secret: &Secret| bool::from(proof(token, secret).as_bytes().ct_eq(hash.as_bytes()));
    secrets.iter().any(is_ours).then_some(token)
}

/// SHA-256 of token and secret, in hex.
pub(crate) fn proof(token: &str, secret: &Secret) -> String {
    let mut hash = Sha256::new();
    hash.update(token);
    hash.update(secret.expose());
    hex(&hash.finalize())
}

/// A sibling domain can plant a cookie over http and post its token from there; the browser says where a
/// request comes from. Clients that say nothing are no browsers, or very old ones: the token alone decides then.
fn is_same_site(info: &RequestInfo, origin: &str, trusted: &[String]) -> bool {
    let from = info.header(ORIGIN);
    if from.is_some_and(|from| trusted.iter().any(|trusted| trusted == from)) {
        return true;
    }
    match info.header("sec-fetch-site") {
        Some(from) => matches!(from, "same-origin" | "none"),
        None => from.is_none_or(|from| from == origin),
    }
}

/// Body, else query, else cookie, else the site itself; what is empty counts as absent.
async fn callback_url(
    inbound: &Inbound,
    site: &Site,
    config: &Config,
    cookies: &mut Vec<CookieChange>,
) -> Result<String, Error> {
    let spec = config.cookie(CookieKind::CallbackUrl, site.secure);
    let written = inbound.cookies.get(&spec.name);
    let cookies_sent: Vec<_> = config
        .each_cookie(CookieKind::CallbackUrl, site.secure)
        .filter_map(|spec| inbound.cookies.get(&spec.name))
        .collect();
    let asked = match inbound.body.get("callbackUrl") {
        None | Some(serde_json::Value::Null) => None,
        Some(value) => Some(value.as_str().ok_or_else(redirect::not_an_address)?),
    };
    // A long one would fill the cookies of every later request. nuxt-auth sends the word when it was told nothing.
    let present = |text: &&str| !matches!(*text, "" | "undefined") && text.len() <= LONGEST_CALLBACK_URL;
    let asked = asked
        .filter(present)
        .or_else(|| inbound.info.any_query("callbackUrl").filter(present))
        // A cookie that is no address must not lock the browser out until it is gone.
        .or_else(|| {
            let is_usable = |text: &&str| {
                redirect::is_spelled_on(text, &site.origin) || redirect::is_address_or_path(text)
            };
            cookies_sent.iter().map(AsRef::as_ref).find(is_usable)
        });
    let url = match asked {
        Some(asked) => redirect::judge(config, asked, &site.origin).await?,
        None => site.origin.clone(),
    };
    if written.as_deref() != Some(url.as_str()) {
        cookies.push(spec.set(&url));
    }
    Ok(url)
}

/// In bytes.
const LONGEST_CALLBACK_URL: usize = 2048;

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
