//! What start and end of a sign-in at a provider must agree on.

use serde_json::{Value, json};
use url::Url;

use crate::config::origin_of;
use crate::cookie::SIGN_IN;
use crate::core::Ready;
use crate::error::{Error, ErrorKind};
use crate::providers::{Check, Provider};
use crate::verify::Verified;

pub(in crate::actions) struct Flow<'a> {
    provider: &'a Provider,
    /// Where the provider sends the browser back to.
    pub(in crate::actions) redirect_uri: String,
    /// The provider answers with a form that the browser posts.
    pub(in crate::actions) form_post: bool,
    /// The answer comes through a proxy that must find the way back here.
    relayed: bool,
    /// This site is such a proxy.
    pub(in crate::actions) is_relay: bool,
}

impl<'a> Flow<'a> {
    pub(in crate::actions) fn of(ready: &'a Ready, request: &Verified<'_>, provider: &'a Provider) -> Self {
        let config = &ready.config;
        let form_post = provider.is_form_post();
        // A proxy cannot pass on the body of a POST by redirecting.
        let proxy = config.redirect_proxy(provider).filter(|_| !form_post);
        let proxy_origin = proxy.and_then(|proxy| origin_of(&Url::parse(proxy).ok()?));
        let is_relay = proxy_origin.as_deref() == Some(request.site.origin.as_str());
        let own = request.site.url(config, &format!("callback/{}", provider.id()));
        let redirect_uri = match proxy {
            Some(proxy) if !is_relay => format!("{}/callback/{}", proxy.trim_end_matches('/'), provider.id()),
            _ => own,
        };
        Self { provider, redirect_uri, form_post, relayed: proxy.is_some() && !is_relay, is_relay }
    }

    pub(in crate::actions) fn checks(&self, check: Check) -> bool {
        // Without a state nobody could be sent back from the proxy.
        self.provider.checks.contains(&check) || (check == Check::State && (self.relayed || self.is_relay))
    }

    /// A random state; through a proxy it also says, sealed, where the answer belongs.
    pub(in crate::actions) fn new_state(
        &self,
        ready: &Ready,
        request: &Verified<'_>,
    ) -> Result<String, Error> {
        let random = ready.random_text()?;
        if !self.relayed {
            return Ok(random);
        }
        let origin = request.site.url(&ready.config, &format!("callback/{}", self.provider.id()));
        let expires = (ready.config.clock.now() + SIGN_IN).seconds();
        let payload = json!({ "origin": origin, "random": random, "exp": expires });
        Ok(ready.config.state_keys.seal(payload.to_string().as_bytes(), &ready.random()?))
    }

    /// The site that an answer belongs to, where this site is only the proxy.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCheck`] when the state is not one of ours.
    pub(in crate::actions) fn belongs_to(
        &self,
        ready: &Ready,
        state: Option<&str>,
        own_origin: &str,
    ) -> Result<Option<String>, Error> {
        if !self.is_relay {
            return Ok(None);
        }
        let Some(state) = state.filter(|state| state.contains('.')) else { return Ok(None) };
        let opened = ready.config.state_keys.open_claims(state, ready.config.clock.now());
        let opened = opened
            .map_err(|error| Error::caused_by(ErrorKind::InvalidCheck, "the state does not open", error))?;
        let origin = opened.get("origin").and_then(Value::as_str).and_then(|origin| Url::parse(origin).ok());
        let foreign = origin.filter(|url| origin_of(url).is_some_and(|origin| origin != own_origin));
        Ok(foreign.map(String::from))
    }
}
