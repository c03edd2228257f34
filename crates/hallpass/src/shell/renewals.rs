//! Cookies that renew a session, on their way to the answer.

use std::sync::{Arc, Mutex, PoisonError};

use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

/// The cookies that one request has renewed. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Renewals(Arc<Mutex<Vec<HeaderValue>>>);

impl Renewals {
    /// Keeps values of `Set-Cookie` for the answer.
    pub fn add<'a>(&self, cookies: impl Iterator<Item = &'a HeaderValue>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(cookies.cloned());
    }

    /// Puts others in their place, unless there are none.
    pub fn replace<'a>(&self, cookies: impl Iterator<Item = &'a HeaderValue>) {
        let cookies: Vec<_> = cookies.cloned().collect();
        if !cookies.is_empty() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cookies;
        }
    }

    /// Forgets them: Hallpass' own answer says what becomes of the session.
    pub fn forget(&self) {
        self.take();
    }

    /// Puts them into the answer, which caches must not give to anybody else then.
    pub fn deliver(&self, headers: &mut HeaderMap) {
        let cookies = self.take();
        if !cookies.is_empty() {
            keep_out_of_caches(headers);
        }
        for cookie in cookies {
            headers.append(SET_COOKIE, cookie);
        }
    }

    fn take(&self) -> Vec<HeaderValue> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An answer with somebody's session cookie in it must not be given to anybody else, whatever the handler says.
fn keep_out_of_caches(headers: &mut HeaderMap) {
    let directives = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut directives = directives.split(',').map(str::trim);
    if !directives.any(|it| it.eq_ignore_ascii_case("private") || it.eq_ignore_ascii_case("no-store")) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
}
