//! The session as the browser sees it: the body of `GET /session`.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::guard::Secrets;
use super::{Live, Opened, Source, Trigger, decided};
use crate::cookie::CookieChange;
use crate::error::{BoxError, Error, ErrorKind};
use crate::hooks::{self, Event, Payload, RawSession, StoredUser};
use crate::{Timestamp, core};

impl Source<'_> {
    /// Opens the session and asks the `session` callback what the browser may see.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub(crate) async fn show(&self, trigger: Trigger) -> Result<(String, Vec<CookieChange>), Error> {
        let update = match &trigger {
            Trigger::Read => None,
            Trigger::Update(data) => Some(data.clone()),
        };
        let Opened { live, cookies } = self.open(trigger).await?;
        let nobody = || self.config.dialects.nobody().to_owned();
        let Some(live) = live else { return Ok((nobody(), cookies)) };
        let key = self.config.views.as_ref().map(|views| (views, view_key(&live)));
        let known = key.as_ref().filter(|_| update.is_none()).and_then(|(views, key)| views.get(key));
        let shown = match &self.config.hooks.session {
            None => Ok(json!({ "user": public_user(&live.token) }).to_string()),
            Some(_) if let Some(known) = known => Ok(known.as_ref().to_owned()),
            Some(hook) => {
                let event = RawSession {
                    token: Arc::clone(&live.token),
                    expires: shown_end(&live),
                    stored: live
                        .row
                        .as_ref()
                        .map(|row| StoredUser { user: row.user.clone(), session_id: row.session.id.clone() }),
                    update,
                    request: Arc::clone(self.info),
                };
                hooks::call(self.config.callback_timeout, hook, event).await?
            }
        };
        let shown = match shown {
            Ok(shown) => Ok(self.without_secrets(&live, shown)?),
            Err(error) => Err(error),
        };
        if let (Some((views, key)), Ok(shown)) = (key, &shown) {
            views.insert(key, Arc::from(shown.as_str()));
        }
        let body = match shown.and_then(|shown| with_expires(shown, shown_end(&live))) {
            Ok(body) => body,
            Err(error) => {
                let error = decided(error, "the session callback failed")?;
                if live.row.is_some() {
                    let error =
                        Error::caused_by(ErrorKind::SessionToken, "the session callback failed", error);
                    core::report(&self.config.hooks, &error, Some(self.info));
                    return Ok((nobody(), Vec::new()));
                }
                let opened = self.unreadable(&error, &self.pieces());
                return Ok((nobody(), opened.cookies));
            }
        };
        let body = if body == NOBODY { nobody() } else { body };
        if self.config.hooks.event.is_some() {
            let session = serde_json::from_str(&body).unwrap_or_default();
            let token = live.row.is_none().then(|| live.token.all().clone());
            Box::pin(core::notify(self.config, Event::Session { session, token }, self.info)).await;
        }
        let cookies = match &live.row {
            // The browser keeps the cookie as long as it comes back, as with Auth.js.
            Some(row) if cookies.is_empty() => {
                let end = self.now + live.token.max_age.unwrap_or(self.config.session_max_age);
                self.spec().set_row_token(&row.token, end, &self.pieces())
            }
            _ => cookies,
        };
        Ok((body, cookies))
    }
}

impl Source<'_> {
    /// What the callback shows, without fields that must not reach a page.
    ///
    /// # Errors
    /// [`ErrorKind::ForbiddenView`] in development, so that it is noticed before others notice it.
    fn without_secrets(&self, live: &Live, shown: String) -> Result<String, Error> {
        let secrets = Secrets::of(live);
        if !secrets.may_be_in(&shown) {
            return Ok(shown);
        }
        let Ok(mut view) = serde_json::from_str(&shown) else { return Ok(shown) };
        let found = secrets.strip(&mut view);
        if found.is_empty() {
            return Ok(shown);
        }
        let error = Error::new(
            ErrorKind::ForbiddenView,
            format!(
                "the session callback shows {}: what a page can read, anybody can who gets a script into it. Leave it out \
                 of what the callback returns",
                found.join(", ")
            ),
        );
        if self.config.development {
            return Err(error);
        }
        core::report(&self.config.hooks, &error, Some(self.info));
        Ok(view.to_string())
    }
}

/// A session in the store shows the end that its row had when it was read, as with Auth.js.
fn shown_end(live: &Live) -> Timestamp {
    live.row.as_ref().map_or(live.expires, |row| row.session.expires)
}

/// What a view follows from: whose session it is, and everything that it keeps. A session that changes gets another
/// key, so what was kept of it before is never shown again.
fn view_key(live: &Live) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    };
    add(&Value::Object(live.token.all().clone().into_iter().filter(|(name, _)| !is_time(name)).collect())
        .to_string());
    if let Some(row) = &live.row {
        add(&row.session.id);
        add(&serde_json::to_string(&row.user).unwrap_or_default());
    }
    hash.finalize().into()
}

/// What every renewal changes.
fn is_time(claim: &str) -> bool {
    matches!(claim, "iat" | "exp" | "jti")
}

/// Name, e-mail and image: Auth.js' default.
fn public_user(token: &Payload) -> Map<String, Value> {
    let fields = [("name", "name"), ("email", "email"), ("image", "picture")];
    fields
        .into_iter()
        .filter_map(|(shown, claim)| Some((shown.to_owned(), token.own(claim)?.clone())))
        .collect()
}

/// What the browser may see, as JSON, with the time when the session ends.
fn with_expires(shown: String, expires: Timestamp) -> Result<String, BoxError> {
    if shown == NOBODY {
        return Ok(shown);
    }
    let Some(members) = shown.strip_prefix('{').and_then(|shown| shown.strip_suffix('}')) else {
        return Err("the session callback must return a struct or nothing".into());
    };
    let expires = expires.to_iso();
    if members.is_empty() || shown.contains(r#""expires":"#) {
        let mut body: Map<String, Value> = serde_json::from_str(&shown)?;
        body.insert("expires".to_owned(), Value::String(expires));
        return Ok(serde_json::to_string(&body)?);
    }
    Ok(format!(r#"{{{members},"expires":"{expires}"}}"#))
}

/// What a callback returns that shows nobody.
const NOBODY: &str = "null";
