//! Limits for tries: at passwords, at mail boxes of other people, at room in the store, and at everything.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use hallpass::{Attempt, Core, ErrorKind, MAX_BODY, Peer, shell};
use http::{Method, StatusCode};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::rate::{Counts, Rate};

/// How many tries there may be. `None`: any number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) passwords_per_account: Option<Rate>,
    pub(crate) passwords_per_address: Option<Rate>,
    pub(crate) mails_per_recipient: Option<Rate>,
    pub(crate) mails_per_address: Option<Rate>,
    pub(crate) callbacks_per_address: Option<Rate>,
    pub(crate) posts_per_address: Option<Rate>,
}

impl Default for Limits {
    fn default() -> Self {
        let rate = |count, minutes: u64| Some(Rate { count, window: Duration::from_secs(minutes * 60) });
        Self {
            passwords_per_account: rate(10, 15),
            passwords_per_address: rate(50, 15),
            mails_per_recipient: rate(5, 60),
            mails_per_address: rate(20, 60),
            callbacks_per_address: rate(100, 1),
            posts_per_address: rate(300, 1),
        }
    }
}

/// The tries so far.
#[derive(Clone, Debug)]
pub(crate) struct Limiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    core: Arc<Core>,
    passwords_per_account: Option<Counts>,
    passwords_per_address: Option<Counts>,
    mails_per_recipient: Option<Counts>,
    mails_per_address: Option<Counts>,
    callbacks_per_address: Option<Counts>,
    posts_per_address: Option<Counts>,
    /// Without a list of proxies, an address inside the network may be a proxy's, which is everybody's.
    proxies_are_known: bool,
}

/// One count of one request.
struct Taken<'a> {
    counts: &'a Counts,
    key: u64,
    of: Of,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A guess at the password of an account.
    Account,
    /// A guess from an address.
    Guesser,
    /// A mail, for its recipient or for whoever asks.
    Mail,
    /// A request, whatever comes of it.
    Request,
}

/// Refuses what comes too often. What is tried counts before it is tried, so that many at once are no way around.
pub(crate) async fn limit(State(limiter): State<Limiter>, request: Request, next: Next) -> Response {
    let is_post = request.method() == Method::POST;
    let (parts, mut body) = request.into_parts();
    let mut form = Bytes::new();
    if is_post {
        let Ok(read) = to_bytes(body, MAX_BODY).await else {
            return shell::body_too_large().map(Body::from);
        };
        form = read.clone();
        body = Body::from(read);
    }
    let request = http::Request::from_parts(parts, form);
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let inner = &limiter.0;
    let attempt = inner.core.attempt(&request);
    match inner.take(&attempt, is_post, peer, Instant::now()) {
        Err(wait) => inner.core.too_many(request, wait).map(Body::from),
        Ok(taken) => {
            let answer = next.run(request.map(|_| body)).await;
            settle(&taken, answer.status(), answer.extensions().get::<ErrorKind>().copied());
            answer
        }
    }
}

impl Limiter {
    pub(crate) fn new(core: Arc<Core>, limits: &Limits, proxies_are_known: bool) -> Self {
        let counts = |rate: Option<Rate>| rate.map(Counts::new);
        Self(Arc::new(Inner {
            core,
            passwords_per_account: counts(limits.passwords_per_account),
            passwords_per_address: counts(limits.passwords_per_address),
            mails_per_recipient: counts(limits.mails_per_recipient),
            mails_per_address: counts(limits.mails_per_address),
            callbacks_per_address: counts(limits.callbacks_per_address),
            posts_per_address: counts(limits.posts_per_address),
            proxies_are_known,
        }))
    }
}

impl Inner {
    /// Counts a request wherever it counts, or nowhere but as a request if that is too often.
    fn take(
        &self,
        attempt: &Attempt,
        is_post: bool,
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Result<Vec<Taken<'_>>, Duration> {
        if let Some(wait) = self.names_too_many(attempt) {
            return Err(wait);
        }
        let mut taken = Vec::new();
        let result = self.counted(attempt, is_post, peer).try_for_each(|count| {
            count.counts.take(count.key, now)?;
            taken.push(count);
            Ok(())
        });
        if let Err(wait) = result {
            let tries = taken.iter().filter(|it| it.of != Of::Request);
            tries.for_each(|it| it.counts.give_back(it.key));
            return Err(wait);
        }
        Ok(taken)
    }

    /// Nobody has so many names: a form with more is meant to lock others out, or to make them forgotten.
    fn names_too_many(&self, attempt: &Attempt) -> Option<Duration> {
        let Attempt::Credentials { accounts, .. } = attempt else { return None };
        let wait = self.passwords_per_account.as_ref()?.window();
        (accounts.len() > MOST_NAMES).then_some(wait)
    }

    fn counted<'a>(
        &'a self,
        attempt: &Attempt,
        is_post: bool,
        peer: Option<IpAddr>,
    ) -> impl Iterator<Item = Taken<'a>> + use<'a> {
        let peer = peer.filter(|peer| self.proxies_are_known || !is_inside(*peer)).map(neighbourhood);
        let of_peer = move |counts: &'a Option<Counts>, of| {
            let (counts, peer) = (counts.as_ref()?, peer?);
            Some(Taken { counts, key: counts.key(peer), of })
        };
        let of_text = |counts: &'a Option<Counts>, text: &str, of| {
            let counts = counts.as_ref()?;
            Some(Taken { counts, key: counts.key(text), of })
        };
        let mut counted = vec![is_post.then(|| of_peer(&self.posts_per_address, Of::Request)).flatten()];
        match attempt {
            Attempt::Credentials { accounts, .. } => {
                counted.push(of_peer(&self.passwords_per_address, Of::Guesser));
                let accounts: BTreeSet<_> = accounts.iter().map(|account| spelled_alike(account)).collect();
                let accounts = accounts.iter();
                counted.extend(accounts.map(|it| of_text(&self.passwords_per_account, it, Of::Account)));
            }
            Attempt::Email { address, .. } => {
                counted.push(of_peer(&self.mails_per_address, Of::Mail));
                counted.push(of_text(&self.mails_per_recipient, &spelled_alike(address), Of::Mail));
            }
            Attempt::OAuthCallback { .. } => {
                counted.push(of_peer(&self.callbacks_per_address, Of::Request));
            }
            _ => {}
        }
        counted.into_iter().flatten()
    }
}

/// What came of a request decides whether it was a try at all.
fn settle(taken: &[Taken<'_>], status: StatusCode, error: Option<ErrorKind>) {
    let is_success = error.is_none() && (status.is_success() || status.is_redirection());
    let was_no_try = error.is_some_and(|kind| NO_TRY.contains(&kind));
    for it in taken {
        match it.of {
            // Earlier guesses stay: a form may name two accounts, and be right about one.
            Of::Account | Of::Guesser if is_success => it.counts.give_back(it.key),
            Of::Account | Of::Guesser if was_no_try => it.counts.give_back(it.key),
            // Nobody knows whether a mail has left whose sending took too long.
            Of::Mail if was_no_try && error != Some(ErrorKind::Unavailable) => it.counts.give_back(it.key),
            _ => {}
        }
    }
}

/// Whoever has an address of IPv6 has 2^64 of them.
fn neighbourhood(address: IpAddr) -> [u8; 9] {
    let mut place = [0; 9];
    let (kind, bytes) = place.split_at_mut(1);
    match address.to_canonical() {
        IpAddr::V4(address) => bytes.iter_mut().zip(address.octets()).for_each(|(to, from)| *to = from),
        IpAddr::V6(address) => {
            kind.fill(6);
            bytes.iter_mut().zip(address.octets()).for_each(|(to, from)| *to = from);
        }
    }
    place
}

/// Addresses that nobody on the internet has.
fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let is_shared = matches!(address.octets(), [100, 64..=127, ..]);
            address.is_loopback() || address.is_private() || address.is_link_local() || is_shared
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// Names and addresses that somebody might take for the same: a database that does not tell `É` from `e`, or a mail box
/// with many spellings. That two people share a count is bearable, that one has many is not.
fn spelled_alike(text: &str) -> String {
    let letters = text.nfkd().filter(|c| !is_combining_mark(*c));
    // Through upper case: `ß` is `SS`, and `ς` is no other letter than `σ`.
    let folded = letters.flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    let plain: String = folded.flat_map(char::to_lowercase).collect();
    let (name, domain) = plain.rsplit_once('@').unwrap_or((&plain, ""));
    let name = name.split('+').next().filter(|name| !domain.is_empty() && !name.is_empty()).unwrap_or(name);
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    match letters(name) {
        name if name.is_empty() => plain,
        name => name + "@" + &letters(domain),
    }
}

/// In one form.
const MOST_NAMES: usize = 5;

/// Errors of requests in which nothing was tried: nobody has looked at the password, and no mail was sent.
const NO_TRY: [ErrorKind; 6] = [
    ErrorKind::MissingCsrf,
    ErrorKind::Unavailable,
    ErrorKind::UnknownAction,
    ErrorKind::InvalidProvider,
    ErrorKind::InvalidCallbackUrl,
    ErrorKind::UntrustedHost,
];

#[cfg(test)]
mod tests;
