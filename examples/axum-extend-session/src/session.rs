//! What a session keeps and shows: `types/hallpass.d.ts` is made of these types.

use hallpass::ViewUser;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Admin,
    Reader,
}

/// What a session keeps: in an encrypted cookie, for the server alone.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Claims {
    pub id: String,
    pub role: Role,
}

/// What the browser sees: the body of `GET /api/auth/session`.
#[derive(Serialize, JsonSchema)]
pub struct View {
    pub user: Person,
}

/// Who is signed in, and what they may do.
#[derive(Serialize, JsonSchema)]
pub struct Person {
    #[serde(flatten)]
    pub public: ViewUser,
    #[serde(flatten)]
    pub claims: Claims,
}

#[cfg(test)]
mod tests;
