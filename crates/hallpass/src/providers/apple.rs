//! Sign in with Apple.

use serde_json::{Map, Value};

use crate::oauth::parse_object;

use super::{Check, ClientAuth, Endpoints, Profile, ProfileError, Raw, Spec};

/// Sign in with Apple.
///
/// Give the key from Apple's developer account with
/// [`Provider::private_key`](super::Provider::private_key) (`ES256`, with the key id and, as issuer, the
/// team id), or a secret that is already signed. Apple sends the name only the first time, as a `user` field
/// beside the code, which is no part of the signed ID token.
pub const APPLE: Spec = Spec {
    id: "apple",
    name: "Apple",
    brand: "#000000",
    endpoints: Endpoints::Discovery { issuer: "https://appleid.apple.com" },
    scopes: &["name", "email"],
    // Apple gives name and address only to a client that takes the answer as a POST.
    authorization_params: &[("response_mode", "form_post")],
    checks: &[Check::State, Check::Nonce],
    client_auth: ClientAuth::SignedSecret,
    posted: Some(posted),
    profile,
    ..Spec::DEFAULT
};

/// The browser posts it and nobody signed it, so nothing but the name is taken, and only where no claim says
/// otherwise.
fn posted(profile: &mut Map<String, Value>, parameters: &[(String, String)]) {
    if profile.contains_key("user") {
        return;
    }
    let user = parameters.iter().find(|(name, _)| name == "user");
    let user = user.and_then(|(_, json)| parse_object(json.as_bytes()).ok());
    if let Some(name) = user.and_then(|mut user| user.shift_remove("name")) {
        profile.insert("user".to_owned(), Map::from_iter([("name".to_owned(), name)]).into());
    }
}

fn profile(raw: &Raw) -> Result<Profile, ProfileError> {
    let part = |pointer| raw.at(pointer)?.as_str().filter(|part| !part.is_empty());
    let parts = [part("/user/name/firstName"), part("/user/name/lastName")];
    let full_name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = Some(full_name).filter(|name| !name.is_empty()).or_else(|| raw.text("email"));
    Ok(Profile {
        name,
        email: raw.text("email"),
        email_verified: raw.flag("email_verified"),
        ..Profile::new(raw.id("sub")?)
    })
}

#[cfg(test)]
mod tests;
