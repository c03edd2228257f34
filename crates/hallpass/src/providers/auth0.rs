//! Auth0.

use super::{Endpoints, Spec};

/// Sign in with Auth0. Give the tenant's domain: `.with("domain", "acme.eu.auth0.com")`.
pub const AUTH0: Spec = Spec {
    id: "auth0",
    name: "Auth0",
    brand: "#eb5424",
    // The issuer in Auth0's ID tokens ends with a slash.
    endpoints: Endpoints::Discovery { issuer: "https://{domain}/" },
    ..Spec::DEFAULT
};
