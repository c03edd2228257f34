//! Marks of providers, drawn for these pages: simple shapes, in the colour of the brand.

/// The mark of a provider, an `<svg>` element. A provider without one is shown by its first letter.
pub(super) fn logo(provider: &str) -> Option<&'static str> {
    LOGOS.iter().find(|(ids, _)| ids.contains(&provider)).map(|&(_, svg)| svg)
}

const LOGOS: &[(&[&str], &str)] = &[
    (&["apple"], include_str!("logos/apple.svg")),
    (&["auth0"], include_str!("logos/auth0.svg")),
    (&["discord"], include_str!("logos/discord.svg")),
    (&["facebook"], include_str!("logos/facebook.svg")),
    (&["github"], include_str!("logos/github.svg")),
    (&["gitlab"], include_str!("logos/gitlab.svg")),
    (&["google"], include_str!("logos/google.svg")),
    (&["keycloak"], include_str!("logos/keycloak.svg")),
    (&["linkedin"], include_str!("logos/linkedin.svg")),
    (&["microsoft-entra-id", "azure-ad", "azure-ad-b2c", "microsoft"], include_str!("logos/microsoft.svg")),
    (&["okta"], include_str!("logos/okta.svg")),
    (&["twitch"], include_str!("logos/twitch.svg")),
    (&["twitter", "x"], include_str!("logos/x.svg")),
];
