//! `[webhooks]`: callbacks that another server answers.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::document::{Found, Section};
use super::sections::read_secrets;
use crate::webhooks::{Callback, EVENTS, Settings, Signer, Webhooks};

pub(super) fn read(mut section: Section<'_>) -> Option<Arc<Webhooks>> {
    let url = section.text("url");
    if url.is_none() {
        section.note("[webhooks] needs `url`: where callbacks are posted to");
    }
    let url = url.and_then(|url| address(&section, &url));
    let secrets = read_secrets(&mut section);
    if secrets.is_empty() && !section.has_any(&["secret", "secrets", "secret_file"]) {
        section.note(
            "[webhooks] needs `secret` or `secret_file`: whoever receives them checks their signatures",
        );
    }
    let signer =
        Signer::new(&secrets).map_err(|wrong| section.note(format!("a secret of [webhooks] {wrong}"))).ok();
    let callbacks =
        section.choices("callbacks", &Callback::ALL.map(|it| (it.name(), it))).unwrap_or_default();
    let events = section.choices("events", &EVENTS.map(|(_, name)| (name, name))).unwrap_or_default();
    if callbacks.is_empty() && events.is_empty() {
        section.note("[webhooks] asks and tells nothing: set `callbacks` or `events`");
    }
    let timeout = section.duration("timeout").unwrap_or(Duration::from_secs(5));
    if timeout.is_zero() || timeout.as_secs() >= 10 {
        section.note("`webhooks.timeout` must be less than 10 seconds, and not 0");
    }
    let provider_tokens = section.flag("provider_tokens").unwrap_or_default();
    section.end();
    Some(Arc::new(Webhooks::new(Settings {
        url: url?,
        signer: signer?,
        callbacks,
        events,
        timeout,
        provider_tokens,
    })))
}

fn address(section: &Section<'_>, found: &Found<String>) -> Option<Url> {
    let url = Url::parse(&found.value).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    });
    if url.is_none() {
        section.document().note(
            found.span.clone(),
            "`webhooks.url` must be an http or https address without a user name; the signature says who asks",
        );
    }
    url
}
