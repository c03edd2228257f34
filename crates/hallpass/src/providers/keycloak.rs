//! Keycloak.

use super::{Endpoints, Spec};

/// Sign in with Keycloak. Give the realm as the issuer:
/// `.issuer("https://keycloak.acme.example/realms/staff")`.
pub const KEYCLOAK: Spec = Spec {
    id: "keycloak",
    name: "Keycloak",
    brand: "#428bca",
    endpoints: Endpoints::Discovery { issuer: "" },
    ..Spec::DEFAULT
};
