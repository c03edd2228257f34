//! `GET /signin` shows the page, `POST /signin/:provider` starts.

use serde_json::json;

use crate::config::ProviderEntry;
use crate::cookie::CookieKind;
use crate::core::Ready;
use crate::error::{Error, ErrorKind};
use crate::oauth::{self, authorize::AuthorizationRequest};
use crate::pages::{SignInOption, SignInPage};
use crate::providers::{Check, Provider};
use crate::redirect;
use crate::respond::{Body, Outcome};
use crate::verify::Verified;

pub(super) mod email;

pub(super) fn page(ready: &Ready, request: &Verified<'_>) -> Result<Outcome, Error> {
    let config = &ready.config;
    if request.inbound.provider.is_some() && !config.dialects.written().links_show_sign_in_page() {
        // A sign-in that a link or an image can start is a sign-in that another site can start.
        return Err(Error::new(ErrorKind::UnknownAction, "a sign-in starts with POST"));
    }
    let info = &request.inbound.info;
    let error = info.query("error").filter(|code| !code.is_empty());
    if let Some(own) = &config.paths.sign_in {
        let mut parameters = vec![("callbackUrl", request.callback_url.as_str())];
        parameters.extend(error.map(|code| ("error", code)));
        let to = redirect::with_query(own, &parameters);
        return Ok(Outcome::new(Body::Redirect { to, as_json: request.inbound.as_json }));
    }
    let options: Vec<_> = config.providers.iter().filter_map(|entry| option(ready, request, entry)).collect();
    // The forms keep the spelling that was asked for, unless the redirect rules have put another place there.
    let asked = info
        .query("callbackUrl")
        .filter(|asked| asked.starts_with('/') && !asked.starts_with("//"))
        .filter(|asked| request.callback_url.strip_prefix(request.site.origin.as_str()) == Some(*asked));
    let page = SignInPage {
        csrf_token: request.csrf.token.as_deref(),
        error,
        callback_url: asked.unwrap_or(&request.callback_url),
        email: info.query("email").unwrap_or_default(),
        options: &options,
    };
    let html = config.pages.sign_in(&page);
    Ok(Outcome::page(
        html.map_err(|error| Error::caused_by(ErrorKind::Configuration, "the page failed", error))?,
    ))
}

fn option(ready: &Ready, request: &Verified<'_>, entry: &ProviderEntry) -> Option<SignInOption> {
    let (id, name) = (entry.id(), entry.name());
    let url = |action: &str| request.site.url(&ready.config, &format!("{action}/{id}"));
    Some(match entry {
        ProviderEntry::OAuth(_) => SignInOption::redirect(id, name, url("signin")),
        ProviderEntry::Email(..) => SignInOption::email(id, name, url("signin")),
        ProviderEntry::Credentials(form, _) if form.fields.is_empty() => return None,
        ProviderEntry::Credentials(form, _) => {
            SignInOption::credentials(id, name, url("callback"), form.fields.clone())
        }
    })
}

pub(super) async fn start(ready: &Ready, request: &Verified<'_>) -> Result<Outcome, Error> {
    request.csrf.require()?;
    match request.provider {
        Some(ProviderEntry::OAuth(provider)) => to_provider(ready, request, provider).await,
        Some(ProviderEntry::Email(email, send)) => email::send_link(ready, request, email, send).await,
        None if request.inbound.dialect.wants_a_provider() => {
            Err(Error::new(ErrorKind::InvalidProvider, "the address names no provider"))
        }
        Some(ProviderEntry::Credentials(..)) | None => {
            let to = request.site.url(&ready.config, "signin");
            Ok(Outcome::new(Body::Redirect { to, as_json: request.inbound.as_json }))
        }
    }
}

/// Sends the browser to the provider, and keeps in its cookies what will prove that the answer is its own.
async fn to_provider(ready: &Ready, request: &Verified<'_>, provider: &Provider) -> Result<Outcome, Error> {
    let config = &ready.config;
    let metadata = config.relying_party.metadata(provider).await;
    let metadata = metadata
        .map_err(|error| Error::caused_by(ErrorKind::Configuration, "the provider cannot be asked", error))?;
    let flow = Flow::of(ready, request, provider);
    let mut cookies = Vec::new();
    let mut seal = |kind: CookieKind, value: &str| -> Result<(), Error> {
        let spec = config.cookie(kind, request.site.secure);
        let now = config.clock.now();
        let payload = json!({
            "value": value,
            "provider": provider.id(),
            "exp": (now + crate::cookie::SIGN_IN).seconds(),
            // The callback cookie is Lax: it does not come along with a provider's POST.
            "callbackUrl": flow.form_post.then_some(&request.callback_url),
            "dialect": request.inbound.dialect.word(),
        });
        let sealed = spec.keys().seal(payload.to_string().as_bytes(), &ready.random()?);
        // Auth.js leaves `Max-Age` off the nonce.
        let change = spec.set(&sealed).for_sign_in(now, kind != CookieKind::Nonce);
        cookies.push(if flow.form_post { change.cross_site() } else { change });
        Ok(())
    };
    let mut state = None;
    if flow.checks(Check::State) {
        let value = flow.new_state(ready, request)?;
        seal(CookieKind::State, &value)?;
        state = Some(value);
    }
    let mut challenge = None;
    if flow.checks(Check::Pkce) {
        let verifier = ready.random_text()?;
        seal(CookieKind::PkceCodeVerifier, &verifier)?;
        challenge = Some(oauth::pkce::challenge(&verifier));
    }
    let mut nonce = None;
    if flow.checks(Check::Nonce) {
        let value = ready.random_text()?;
        seal(CookieKind::Nonce, &value)?;
        nonce = Some(value);
    }
    let url = oauth::authorize::authorization_url(
        provider,
        &metadata,
        &AuthorizationRequest {
            redirect_uri: &flow.redirect_uri,
            state: state.as_deref(),
            code_challenge: challenge.as_deref(),
            nonce: nonce.as_deref(),
            extra: request.inbound.info.query_pairs(),
        },
    );
    let url = url
        .map_err(|error| Error::caused_by(ErrorKind::Configuration, "the provider cannot be asked", error))?;
    let body = Body::Redirect { to: url.into(), as_json: request.inbound.as_json };
    Ok(Outcome::new(body).with_cookies(cookies))
}

pub(super) use flow::Flow;

mod flow;
