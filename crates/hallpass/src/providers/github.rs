//! GitHub.

use serde_json::{Map, Value};

use super::{Endpoints, FollowUp, Profile, ProfileError, Raw, Spec};

/// Sign in with GitHub. For GitHub Enterprise Server give both of its addresses:
/// `.with("domain", "github.acme.example").with("api", "github.acme.example/api/v3")`.
pub const GITHUB: Spec = Spec {
    id: "github",
    name: "GitHub",
    brand: "#24292f",
    endpoints: Endpoints::OAuth2 {
        authorize: "https://{domain=github.com}/login/oauth/authorize",
        token: "https://{domain=github.com}/login/oauth/access_token",
        userinfo: "https://{api=api.github.com}/user",
    },
    issuer: Some("https://{domain=github.com}/login/oauth"),
    scopes: &["read:user", "user:email"],
    // The API refuses requests without a user agent.
    userinfo_headers: &[("user-agent", "hallpass"), ("accept", "application/vnd.github+json")],
    // The profile may hide the address and never says whether it is verified; this list does.
    follow_up: Some(FollowUp { url: "https://{api=api.github.com}/user/emails", merge: merge_emails }),
    profile,
    ..Spec::DEFAULT
};

fn profile(raw: &Raw) -> Result<Profile, ProfileError> {
    Ok(Profile {
        name: raw.text("name").or_else(|| raw.text("login")),
        email: raw.text("email"),
        email_verified: raw.flag("email_verified"),
        image: raw.text("avatar_url"),
        ..Profile::new(raw.id("id")?)
    })
}

/// Keeps the public address where the list says that it is verified; otherwise takes the verified primary
/// one, and an unverified primary one only where there is no address at all.
fn merge_emails(profile: &mut Map<String, Value>, answer: &Value) {
    let public = profile.get("email").and_then(Value::as_str).filter(|email| !email.is_empty());
    let emails: Vec<Email<'_>> = answer.as_array().into_iter().flatten().filter_map(Email::read).collect();
    let is_public =
        |email: &&Email<'_>| public.is_some_and(|public| email.address.eq_ignore_ascii_case(public));
    let verified = emails
        .iter()
        .find(|email| email.verified && is_public(email))
        .or_else(|| emails.iter().find(|email| email.verified && email.primary));
    let unverified = emails.iter().find(|email| public.is_none() && email.primary);
    if let Some(email) = verified.or(unverified) {
        profile.insert("email".to_owned(), email.address.into());
    }
    profile.insert("email_verified".to_owned(), verified.is_some().into());
}

struct Email<'a> {
    address: &'a str,
    primary: bool,
    verified: bool,
}

impl<'a> Email<'a> {
    fn read(value: &'a Value) -> Option<Self> {
        let flag = |field| value.get(field).and_then(Value::as_bool).unwrap_or_default();
        let address = value.get("email")?.as_str().filter(|address| !address.is_empty())?;
        Some(Self { address, primary: flag("primary"), verified: flag("verified") })
    }
}

#[cfg(test)]
mod tests;
