//! Whether the providers answer, and what is to be registered at each.

use hallpass::oauth::ProtocolErrorKind;
use hallpass::{AccountKind, Auth, ConfiguredProvider, with_causes};

use crate::config::Config;
use crate::setup::init::is_placeholder;

use super::Place;
use super::client::Asking;
use super::finding::Finding;

pub(super) async fn findings(
    config: &Config,
    asking: &Asking,
    place: &Place,
    auth: Option<&Auth>,
) -> Vec<Finding> {
    let Some(auth) = auth else { return Vec::new() };
    let mut providers = auth.providers(&place.origin);
    providers.retain(|provider| !config.stands_in_for(&provider.id));
    let asked = providers.iter().map(|provider| one(asking, place, auth, provider));
    let mut findings: Vec<_> = futures_util::future::join_all(asked).await.into_iter().flatten().collect();
    let stand_ins: Vec<_> = config.stand_in_names().collect();
    if !stand_ins.is_empty() {
        let message = format!("the server itself stands in for {}: development mode", stand_ins.join(", "));
        findings.push(Finding::ok(CHECK, message));
    }
    findings
}

async fn one(asking: &Asking, place: &Place, auth: &Auth, provider: &ConfiguredProvider) -> Vec<Finding> {
    let Some(redirect_uri) = &provider.redirect_uri else { return Vec::new() };
    let name = &provider.name;
    let mut findings = Vec::new();
    let registered = format!("registered there must be {redirect_uri}");
    if provider.client_id.as_deref().is_some_and(is_placeholder) {
        let cure =
            format!("register {redirect_uri} there, and put the client id that you get into the settings");
        findings.push(Finding::problem(CHECK, format!("{name} has no client id yet"), cure));
    }
    match auth.discover(&provider.id).await {
        Err(error) => {
            let cure = match error.kind() {
                ProtocolErrorKind::Unreachable => {
                    "look whether this machine reaches it (DNS, firewall, proxy), and whether `issuer` is right"
                }
                ProtocolErrorKind::Discovery => {
                    "set `issuer` to what its discovery document says, to the letter; every endpoint must be https"
                }
                _ => "look at the section of this provider in the settings",
            };
            let cure = format!("{cure}; {registered}");
            findings.push(Finding::problem(CHECK, format!("{name}: {}", with_causes(&error)), cure));
            return findings;
        }
        // Without a discovery document nobody has been asked yet.
        Ok(metadata) if provider.kind == AccountKind::OAuth && metadata.jwks_uri.is_none() => {
            let token_endpoint = metadata.token_endpoint;
            if let Err(error) = asking.get_named(token_endpoint.as_str()).await {
                let host = token_endpoint.host_str().unwrap_or_default();
                let cure =
                    format!("look whether this machine reaches it: DNS, firewall, proxy; {registered}");
                findings.push(Finding::problem(
                    CHECK,
                    format!("{name}: {host}: {}", with_causes(&error)),
                    cure,
                ));
                return findings;
            }
        }
        Ok(_) => {}
    }
    let known = if place.is_unknown { " (at the address of your site)" } else { "" };
    findings.push(Finding::ok(CHECK, format!("{name} answers; {registered}{known}")));
    findings
}

const CHECK: &str = "provider";
