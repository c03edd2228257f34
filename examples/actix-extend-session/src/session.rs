//! What a session keeps and shows.

use hallpass::ViewUser;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Admin,
    Reader,
}

/// What a session keeps: in an encrypted cookie, for the server alone.
#[derive(Serialize, Deserialize)]
pub struct Claims {
    pub id: String,
    pub role: Role,
}

/// What the browser sees: the body of `GET /api/auth/session`.
#[derive(Serialize)]
pub struct View {
    pub user: Person,
}

#[derive(Serialize)]
pub struct Person {
    #[serde(flatten)]
    pub public: ViewUser,
    #[serde(flatten)]
    pub claims: Claims,
}
