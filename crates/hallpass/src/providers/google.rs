//! Google.

use super::{Endpoints, Spec};

/// Sign in with Google.
pub const GOOGLE: Spec = Spec {
    id: "google",
    name: "Google",
    brand: "#1a73e8",
    endpoints: Endpoints::Discovery { issuer: "https://accounts.google.com" },
    ..Spec::DEFAULT
};
