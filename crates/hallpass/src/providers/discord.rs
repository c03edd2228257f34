//! Discord.

use super::{Endpoints, Profile, ProfileError, Raw, Spec};

/// Sign in with Discord.
pub const DISCORD: Spec = Spec {
    id: "discord",
    name: "Discord",
    brand: "#5865f2",
    endpoints: Endpoints::OAuth2 {
        authorize: "https://discord.com/api/oauth2/authorize",
        token: "https://discord.com/api/oauth2/token",
        userinfo: "https://discord.com/api/users/@me",
    },
    scopes: &["identify", "email"],
    profile,
    ..Spec::DEFAULT
};

fn profile(raw: &Raw) -> Result<Profile, ProfileError> {
    let id = raw.id("id")?;
    Ok(Profile {
        name: raw.text("global_name").or_else(|| raw.text("username")),
        email: raw.text("email"),
        email_verified: raw.flag("verified"),
        image: avatar(raw, &id),
        ..Profile::new(id)
    })
}

/// The address of the picture is made of the person's id and its hash; without one there is a default
/// picture, numbered by the id, or by the discriminator of an account that still has one.
fn avatar(raw: &Raw, id: &str) -> Option<String> {
    const CDN: &str = "https://cdn.discordapp.com";
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if let Some(hash) = raw.text("avatar").filter(|hash| plain(hash) && plain(id)) {
        let format = if hash.starts_with("a_") { "gif" } else { "png" };
        return Some(format!("{CDN}/avatars/{id}/{hash}.{format}"));
    }
    let discriminator = raw.text("discriminator").and_then(|text| text.parse::<u32>().ok());
    let number = match discriminator {
        Some(discriminator) if discriminator != 0 => u64::from(discriminator % 5),
        _ => (id.parse::<u64>().ok()? >> 22) % 6,
    };
    Some(format!("{CDN}/embed/avatars/{number}.png"))
}
