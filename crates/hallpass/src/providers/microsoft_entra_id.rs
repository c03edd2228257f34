//! Microsoft Entra ID.

use serde_json::Value;

use super::{Endpoints, Profile, ProfileError, Raw, Spec};

/// Sign in with Microsoft Entra ID. By default any work, school or personal account may sign in; for those
/// of one organisation give its tenant id: `.with("tenant", "00000000-…")`.
///
/// A tenant's administrator can write any address into `email`, so it counts as verified only where the
/// optional claim `xms_edov` says that the tenant owns the address' domain.
pub const MICROSOFT_ENTRA_ID: Spec = Spec {
    id: "microsoft-entra-id",
    name: "Microsoft Entra ID",
    brand: "#0072c6",
    endpoints: Endpoints::Discovery { issuer: "https://login.microsoftonline.com/{tenant=common}/v2.0" },
    // For `common` the discovery document names no one tenant: each ID token names its own.
    issuer_placeholder: Some(("{tenantid}", "tid")),
    profile,
    ..Spec::DEFAULT
};

fn profile(raw: &Raw) -> Result<Profile, ProfileError> {
    // A flag, a number or a text, by the version of the token.
    let owns_domain = match raw.get("xms_edov") {
        Some(Value::String(text)) => text == "1" || text == "true",
        Some(Value::Number(number)) => number.as_u64() == Some(1),
        Some(Value::Bool(flag)) => *flag,
        _ => false,
    };
    Ok(Profile {
        name: raw.text("name"),
        email: raw.text("email"),
        email_verified: owns_domain,
        ..Profile::new(raw.id("sub")?)
    })
}
