//! GitLab.

use super::{Endpoints, Profile, ProfileError, Raw, Spec};

/// Sign in with GitLab. For an instance of one's own: `.with("domain", "gitlab.acme.example")`.
pub const GITLAB: Spec = Spec {
    id: "gitlab",
    name: "GitLab",
    brand: "#fc6d26",
    endpoints: Endpoints::OAuth2 {
        authorize: "https://{domain=gitlab.com}/oauth/authorize",
        token: "https://{domain=gitlab.com}/oauth/token",
        userinfo: "https://{domain=gitlab.com}/api/v4/user",
    },
    scopes: &["read_user"],
    profile,
    ..Spec::DEFAULT
};

fn profile(raw: &Raw) -> Result<Profile, ProfileError> {
    let id = if raw.get("sub").is_some() { raw.id("sub")? } else { raw.id("id")? };
    Ok(Profile {
        name: raw.text("name").or_else(|| raw.text("username")),
        email: raw.text("email"),
        // `email` is the primary address; a new one waits in another field until it is confirmed.
        email_verified: raw.text("confirmed_at").is_some(),
        image: raw.text("avatar_url"),
        ..Profile::new(id)
    })
}
