//! Somebody comes back from a provider.

use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::User;
use crate::actions::sign_in_decision;
use crate::actions::signin::Flow;
use crate::config::account_kind;
use crate::cookie::{CookieChange, CookieKind, REMEMBERED};
use crate::core::{self, Ready};
use crate::dialect::Asked;
use crate::email;
use crate::error::{Error, ErrorKind};
use crate::hex::hex;
use crate::hooks::{Event, SignIn, SignedIn};
use crate::link;
use crate::oauth::{self, ProtocolError, ProtocolErrorKind};
use crate::providers::{Check, Provider};
use crate::redirect;
use crate::relying_party::Identity;
use crate::respond::{Body, Outcome};
use crate::session::{Found, Source, Trigger};
use crate::store::{OneTimeToken, StoreErrorKind};
use crate::user::Account;
use crate::verify::Verified;

pub(super) async fn run(
    ready: &Ready,
    request: &Verified<'_>,
    provider: &Provider,
) -> Result<Outcome, Error> {
    let config = &ready.config;
    let info = &request.inbound.info;
    let flow = Flow::of(ready, request, provider);
    let parameters = if flow.form_post { request.inbound.body_pairs() } else { info.query_pairs().to_vec() };
    let state = parameters.iter().find(|(name, _)| name == "state").map(|(_, value)| value.as_str());
    if let Some(site) = flow.belongs_to(ready, state, &request.site.origin)? {
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let to = redirect::with_query(&site, &parameters);
        return Ok(Outcome::new(Body::Redirect { to, as_json: request.inbound.as_json }));
    }
    let checks = Checks::open(ready, request, provider, &flow)?;
    let metadata = config.relying_party.metadata(provider).await.map_err(failed)?;
    let callback = oauth::callback::validate(provider, &metadata, &parameters, checks.state.as_deref())
        .map_err(failed)?;
    // Last before the code goes out: what is refused until here leaves no row in the store.
    checks.use_up(ready).await?;
    let identity = config.relying_party.redeem(
        provider,
        &metadata,
        callback,
        &flow.redirect_uri,
        checks.verifier.as_deref(),
        checks.nonce.as_deref(),
        // What a browser posts for the provider, and never what stands in an address.
        if flow.form_post { &parameters } else { &[] },
    );
    let identity = identity.await.map_err(failed)?;
    match sign_in(ready, request, provider, identity, checks.callback_url.as_deref()).await {
        Ok(outcome) => Ok(outcome.after(checks.cookies)),
        Err(error) if request.inbound.dialect.clears_checks_when_refused(&error) => {
            let asked = Asked::of(&request.inbound, config);
            Ok(ready.failed(&asked, &request.site, info, &error).after(checks.cookies))
        }
        Err(error) => Err(error),
    }
}

/// Signs in whom the provider has named.
async fn sign_in(
    ready: &Ready,
    request: &Verified<'_>,
    provider: &Provider,
    identity: Identity,
    callback_url: Option<&str>,
) -> Result<Outcome, Error> {
    let config = &ready.config;
    let info = &request.inbound.info;
    let (profile_user, account, raw_profile, email_verified) = person(ready, provider, identity)?;
    let known = link::known_user(ready, &account).await?;
    let user = known.clone().unwrap_or_else(|| profile_user.clone());
    // The provider vouches for the address that it says, which need not be the one that is stored.
    let vouched = email_verified && email::is_same(user.email.as_deref(), profile_user.email.as_deref());
    let account = Account { email_verified: vouched, ..account };
    let event = SignIn {
        user,
        account: account.clone(),
        profile: Some(raw_profile.clone()),
        credentials: None,
        verification_request: false,
        request: Arc::clone(info),
    };
    if let Some(to) = sign_in_decision::ask(config, event, &request.site.origin).await? {
        let body = Body::Redirect { to, as_json: request.inbound.as_json };
        return Ok(Outcome::new(body));
    }
    let told_profile = config.dialects.written().told_profile(&profile_user);
    let source = request.source(ready);
    let current = current_user(ready, &source, known.as_ref()).await?;
    let newcomer = link::Newcomer {
        user: profile_user,
        account: &account,
        known,
        email_verified,
        may_link_by_email: provider.link_accounts_by_email,
    };
    let linked = link::by_account(ready, newcomer, current, info).await?;
    let is_new_user = config.store.is_some().then_some(linked.is_new_user);
    let user = linked.user;
    let signed_in = SignedIn {
        user: user.clone(),
        account: account.clone(),
        profile: Some(raw_profile.clone()),
        is_new_user,
    };
    let cookies = source.sign_in(signed_in, true).await?;
    let profile = Some(told_profile.unwrap_or(raw_profile));
    core::notify(config, Event::SignIn { user, account, profile, is_new_user }, info).await;
    let callback_url = callback_url.unwrap_or(&request.callback_url);
    let body = super::onward(ready, request, callback_url, linked.is_new_user);
    Ok(Outcome::new(body).with_cookies(cookies))
}

/// Who is signed in already, as far as a store could link an account to them.
async fn current_user(
    ready: &Ready,
    source: &Source<'_>,
    known: Option<&User>,
) -> Result<Option<User>, Error> {
    let claimed = match source.find().await? {
        Some(Found::Row(row)) => Some(row.user.id),
        Some(Found::Token(token)) => token.text("sub").map(str::to_owned),
        Some(Found::Nothing(_)) | None => None,
    };
    let (Some(store), Some(claimed)) = (ready.config.store.as_deref(), claimed) else { return Ok(None) };
    if let Some(owner) = known.filter(|user| user.id == claimed) {
        return Ok(Some(owner.clone()));
    }
    // A session that has ended must not take on another way in: by the `jwt` callback, or by whatever has happened to
    // the user until they are read here. What happens from then on, `link_account` sees.
    let Some(live) = source.open(Trigger::Read).await?.live else { return Ok(None) };
    let Some(user) = store.user(live.token.text("sub").unwrap_or_default()).await? else { return Ok(None) };
    Ok(source.holds(&live).await?.then_some(user))
}

/// User and account, from what the provider said.
fn person(
    ready: &Ready,
    provider: &Provider,
    identity: Identity,
) -> Result<(User, Account, serde_json::Map<String, Value>, bool), Error> {
    let profile = identity.profile;
    let kind = ready.config.dialects.written().word_for(account_kind(provider));
    let account = Account::new(provider.id(), kind, &profile.id);
    let user = User {
        id: ready.id_of(&account)?,
        name: profile.name,
        email: profile.email.as_deref().and_then(email::of_provider),
        image: profile.image,
        extra: profile.extra,
        ..User::default()
    };
    let tokens = ready.config.dialects.written().account_tokens(identity.tokens);
    let account = Account { tokens, ..account };
    Ok((user, account, identity.raw_profile, profile.email_verified))
}

/// What the browser kept since the sign-in started.
struct Checks {
    state: Option<String>,
    verifier: Option<String>,
    nonce: Option<String>,
    /// Where the browser wanted to go, if the provider answers with a POST.
    callback_url: Option<String>,
    /// The cookies go when the answer was used.
    cookies: Vec<CookieChange>,
}

impl Checks {
    /// # Errors
    /// [`ErrorKind::InvalidCheck`] unless each cookie is there, opens, and was made for this provider.
    fn open(
        ready: &Ready,
        request: &Verified<'_>,
        provider: &Provider,
        flow: &Flow<'_>,
    ) -> Result<Self, Error> {
        let config = &ready.config;
        let mut cookies = Vec::new();
        let mut callback_url = None;
        let mut open = |check: Check, kind: CookieKind| -> Result<Option<String>, Error> {
            if !flow.checks(check) {
                return Ok(None);
            }
            let spec = config.cookie(kind, request.site.secure);
            let sealed = request.inbound.cookies.get(&spec.name);
            let sealed = sealed.ok_or_else(|| {
                Error::new(ErrorKind::InvalidCheck, format!("the {check:?} cookie is missing"))
            })?;
            let payload = spec.keys().open_claims(&sealed, config.clock.now()).map_err(|error| {
                Error::caused_by(ErrorKind::InvalidCheck, "a cookie of the sign-in does not open", error)
            })?;
            // Mix-up defense: what was made for one provider proves nothing to another (GHSA-x445-f3h2-j279).
            if payload.get("provider").and_then(Value::as_str) != Some(provider.id()) {
                return Err(Error::new(
                    ErrorKind::InvalidCheck,
                    format!("the {check:?} cookie is another provider's"),
                ));
            }
            let change = spec.clear();
            cookies.push(if flow.form_post { change.cross_site() } else { change });
            let text = |name| payload.get(name).and_then(Value::as_str).map(str::to_owned);
            callback_url = text("callbackUrl");
            let value = text("value");
            value
                .map(Some)
                .ok_or_else(|| Error::new(ErrorKind::InvalidCheck, "a cookie of the sign-in is empty"))
        };
        let state = open(Check::State, CookieKind::State)?;
        let verifier = open(Check::Pkce, CookieKind::PkceCodeVerifier)?;
        let nonce = open(Check::Nonce, CookieKind::Nonce)?;
        Ok(Self { state, verifier, nonce, callback_url, cookies })
    }

    /// Each of them is good for one answer. The store remembers it for all who share it, and over a restart; without
    /// one this process does.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCheck`] when they were seen before, [`ErrorKind::Unavailable`] when the store does not say.
    async fn use_up(&self, ready: &Ready) -> Result<(), Error> {
        let values = [&self.state, &self.verifier, &self.nonce];
        if values.iter().all(|value| value.is_none()) {
            return Ok(());
        }
        let mut hash = Sha256::new();
        for value in values {
            hash.update(value.as_deref().unwrap_or_default());
            hash.update([0]);
        }
        let hash = hash.finalize();
        let is_fresh = match &ready.config.store {
            None => ready.used_checks.entry(hash.into()).or_insert(()).is_fresh(),
            Some(store) => {
                let expires = ready.config.clock.now() + REMEMBERED;
                match store.create_token(OneTimeToken::new(USED, hex(&hash), expires)).await {
                    Ok(()) => true,
                    Err(error) if error.kind() == StoreErrorKind::Conflict => false,
                    Err(error) => return Err(error.into()),
                }
            }
        };
        match is_fresh {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::InvalidCheck, "this sign-in has come back before")),
        }
    }
}

fn failed(error: ProtocolError) -> Error {
    match error.kind() {
        ProtocolErrorKind::ErrorAnswer => {
            Error::caused_by(ErrorKind::OAuthCallback, "the provider answered with an error", error)
        }
        ProtocolErrorKind::Profile => {
            Error::caused_by(ErrorKind::OAuthProfileParse, "the profile could not be read", error)
        }
        _ => Error::caused_by(ErrorKind::CallbackRoute, "the provider's answer was refused", error),
    }
}

/// Under what the store remembers it: no address has a space and no `@`.
const USED: &str = "hallpass: used sign-in";
