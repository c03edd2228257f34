//! A session that code of the application holds in its hands: changed and ended from there.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Auth, SessionRead};
use crate::config::Config;
use crate::cookie::Cookies;
use crate::error::{BoxError, Error, ErrorKind};
use crate::hooks::Payload;
use crate::request::RequestInfo;
use crate::session::{Opened, Source};
use crate::verify::Site;

/// The session of one request, to change or end: [`SessionRead::handle`]. Shells wrap it, and see to it that the
/// cookies reach the answer.
pub struct SessionHandle<C> {
    pub(super) auth: Auth<C>,
    pub(super) info: Arc<RequestInfo>,
}

impl<C: Serialize + DeserializeOwned> SessionHandle<C> {
    /// Changes what the session keeps. The session that comes back has the new claims; its cookies must reach the
    /// answer. The `jwt` callback runs before, as at every read.
    ///
    /// With sessions in the store nothing is lost: where somebody else has changed the claims meanwhile, `change` is
    /// called again with theirs. With sessions in tokens the last cookie to reach the browser wins, as a whole.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when it cannot be done now, [`ErrorKind::SessionTooLarge`] when it would not fit the
    /// cookies; the session is as it was then.
    pub async fn update(&self, mut change: impl FnMut(&mut C) + Send) -> Result<SessionRead<C>, Error> {
        let mut rewrite = |before: &Arc<Payload>| -> Result<Arc<Payload>, BoxError> {
            let mut claims: C = before.parse_claims()?;
            change(&mut claims);
            let after = crate::hooks::follow(Arc::clone(before), Some(claims).into())?;
            after.ok_or_else(|| "the claims are gone".into())
        };
        let config = self.config()?;
        let site = Site::of(&self.info, config)?;
        let cookies = Cookies::parse(self.info.headers());
        let opened = self.source(config, &site, &cookies).rewrite(&mut rewrite).await?;
        self.next(config, opened)
    }

    /// Ends all other sessions of this user; this one goes on, with a new cookie where it is in a token. Those in
    /// tokens end within [`revocation_delay`](crate::Builder::revocation_delay).
    ///
    /// # Errors
    /// [`ErrorKind::MissingStore`] without a store, [`ErrorKind::SessionTooLarge`] when the new cookie would not fit,
    /// and [`ErrorKind::Unavailable`] when it cannot be done now: nothing has ended then. Where this session has been
    /// ended itself meanwhile there is none in what comes back.
    pub async fn sign_out_elsewhere(&self) -> Result<SessionRead<C>, Error> {
        let config = self.config()?;
        let site = Site::of(&self.info, config)?;
        let cookies = Cookies::parse(self.info.headers());
        let opened = self.source(config, &site, &cookies).end_others().await?;
        self.next(config, opened)
    }

    /// Ends this session: "sign out here". The cookies that come back must reach the answer.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when it cannot be done now.
    pub async fn sign_out(&self) -> Result<SessionRead<C>, Error> {
        let config = self.config()?;
        let site = Site::of(&self.info, config)?;
        let cookies = Cookies::parse(self.info.headers());
        let source = self.source(config, &site, &cookies);
        source.end().await?;
        let opened = Opened { live: None, cookies: source.clear() };
        self.next(config, opened)
    }

    /// What follows: whoever changes the session again in this request goes on from there.
    fn next(&self, config: &Config, opened: Opened) -> Result<SessionRead<C>, Error> {
        let info = Arc::new(self.info.with_cookies(&opened.cookies));
        self.auth.session_read(config, &info, opened)
    }

    fn config(&self) -> Result<&Config, Error> {
        let config = self.auth.core.config();
        config.ok_or_else(|| Error::new(ErrorKind::Unavailable, "the configuration is wrong"))
    }

    fn source<'a>(&'a self, config: &'a Config, site: &Site, cookies: &'a Cookies) -> Source<'a> {
        Source { config, info: &self.info, cookies, secure: site.secure, now: config.clock.now() }
    }
}

impl<C> Clone for SessionHandle<C> {
    fn clone(&self) -> Self {
        Self { auth: self.auth.clone(), info: Arc::clone(&self.info) }
    }
}

impl<C> fmt::Debug for SessionHandle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHandle").field("request", &self.info).finish_non_exhaustive()
    }
}
