//! Sessions in encrypted cookies: opened, renewed, sealed.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::epoch::Current;
use super::{Live, Opened, Source, Trigger, extended, uuid};
use crate::cookie::{CookieChange, CookieKind, Pieces};
use crate::error::{Error, ErrorKind};
use crate::hooks::{Payload, RawTrigger};
use crate::jose::{self, Dialect, OpenError};
use crate::{Timestamp, core};

impl Source<'_> {
    /// The payload of a session's token, neither extended nor renewed.
    ///
    /// # Errors
    /// [`ErrorKind::JwtSession`] when it does not open.
    pub(super) fn payload(&self, pieces: &Pieces<'_>) -> Result<Payload, Error> {
        let Some(value) = &pieces.value else {
            return Err(Error::new(ErrorKind::JwtSession, "the session cookie is incomplete"));
        };
        self.unseal(pieces.dialect, value).map_err(|error| {
            Error::caused_by(ErrorKind::JwtSession, "the session cookie does not open", error)
        })
    }

    pub(super) fn unseal(&self, dialect: Option<Dialect>, token: &str) -> Result<Payload, OpenError> {
        let mut specs = self.config.each_cookie(CookieKind::SessionToken, self.secure);
        let spec = specs.find(|spec| Some(spec.dialect) == dialect).ok_or(OpenError::UnknownKey)?;
        let json = spec.keys().open(token)?;
        let payload = Payload::parse(&json).map_err(|_| OpenError::Payload)?;
        jose::check_times(|claim| payload.own(claim), self.now)?;
        Ok(payload)
    }

    /// `None` when the session has been revoked, or is too old.
    pub(super) async fn open_token(
        &self,
        trigger: Trigger,
        pieces: &Pieces<'_>,
    ) -> Result<Option<Opened>, Error> {
        let payload = match self.payload(pieces) {
            Ok(payload) => payload,
            Err(error) => return Ok(Some(self.unreadable(&error, pieces))),
        };
        let (issued, ends) = (payload.time("iat"), payload.time("exp"));
        let Some(Current { payload, is_new }) = self.catch_up(payload).await? else { return Ok(None) };
        let before = Arc::new(payload);
        let is_update = matches!(trigger, Trigger::Update(_));
        let token = match extended(self, &before, RawTrigger::from(trigger)).await? {
            Ok(Some(token)) => token,
            Ok(None) => return Ok(Some(self.nobody(pieces))),
            Err(error) => return Ok(Some(self.unreadable(&error, pieces))),
        };
        let update_age = self.config.jwt_update_age;
        let due = is_update
            || self.is_foreign(pieces)
            || is_new
            || update_age.is_zero()
            || issued.is_none_or(|issued| issued + update_age <= self.now)
            || (!Arc::ptr_eq(&token, &before) && token != before);
        let live = |token, expires| Some(Live { token, expires, row: None });
        if !due && let Some(expires) = ends {
            return Ok(Some(Opened { live: live(token, expires), cookies: Vec::new() }));
        }
        match self.seal(&token, pieces) {
            Ok((cookies, expires)) => Ok(Some(Opened { live: live(token, expires), cookies })),
            // Reading goes on with the cookie that there is: else nobody gets out of a session that has grown.
            Err(error) if error.kind() == ErrorKind::SessionTooLarge && !is_update => {
                core::report(&self.config.hooks, &error, Some(self.info));
                let expires = ends.unwrap_or(self.now + self.config.session_max_age);
                Ok(Some(Opened { live: live(token, expires), cookies: Vec::new() }))
            }
            Err(error) => Err(error),
        }
    }

    /// Seals a payload into the session cookie, with a new life time and id.
    ///
    /// # Errors
    /// [`ErrorKind::SessionTooLarge`] over the cookie budget.
    pub(super) fn seal(
        &self,
        payload: &Payload,
        before: &Pieces<'_>,
    ) -> Result<(Vec<CookieChange>, Timestamp), Error> {
        let mut random = [0; 32];
        self.config.random.fill(&mut random)?;
        let [iv, id] =
            [random.first_chunk::<16>(), random.last_chunk::<16>()].map(|half| *half.unwrap_or(&[0; 16]));
        let expires = self.lasts_until(payload, payload.marker().began);
        let json = payload.renewed(self.now, expires, &uuid(id)).map_err(|error| {
            Error::caused_by(ErrorKind::JwtSession, "the session cannot be written", error)
        })?;
        let value = self.spec().keys().seal(&json, &iv);
        if value.len() > self.config.cookie_budget {
            return Err(Error::new(
                ErrorKind::SessionTooLarge,
                format!(
                    "the session needs {} bytes of cookies, `cookie_budget` allows {}; the largest claims are {}",
                    value.len(),
                    self.config.cookie_budget,
                    largest(payload.all())
                ),
            ));
        }
        if value.len() > MUCH && before.value.as_ref().is_none_or(|before| before.len() <= MUCH) {
            tracing::warn!(
                bytes = value.len(),
                largest = largest(payload.all()),
                "a session needs more than one cookie: keep less in the claims, or use database sessions"
            );
        }
        Ok((self.spec().set_in_pieces(value, expires, before), expires))
    }
}

/// The largest claims, with their bytes in the token: `"companies" (3120 bytes), "name" (40 bytes)`.
fn largest(claims: &Map<String, Value>) -> String {
    let mut sizes: Vec<_> = claims.iter().map(|(name, value)| (value.to_string().len(), name)).collect();
    sizes.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    let shown: Vec<_> =
        sizes.iter().take(SHOWN).map(|(size, name)| format!("{name:?} ({size} bytes)")).collect();
    shown.join(", ")
}

/// In bytes: what browsers keep in one cookie.
const MUCH: usize = 4096;

/// How many of the largest claims are named.
const SHOWN: usize = 3;
