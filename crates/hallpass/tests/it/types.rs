//! What a front end learns of the application's types.

use hallpass::{NoClaims, NoUpdate, ViewUser};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What somebody may do.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Role {
    Admin,
    Manager,
    User,
}

/// What a session keeps.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Claims {
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_token: Option<String>,
    selected_company_id: Option<u64>,
}

/// What the browser sees.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct View {
    user: User,
    companies: Vec<Company>,
    selected_company_id: Option<u64>,
    plan: Plan,
}

/// Called as a type of Auth.js is, which must not be taken for it.
#[derive(Serialize, JsonSchema)]
struct User {
    id: String,
    avatar: Option<String>,
    role: Role,
    #[serde(flatten)]
    public: ViewUser,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Company {
    id: u64,
    name: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Plan {
    Free,
    #[serde(rename_all = "camelCase")]
    Paid {
        seat_count: u32,
    },
}

/// What a client may change.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Update {
    company_id: u64,
    /// The name to show.
    name: Option<String>,
}

/// With which `cargo xtask types` runs the compiler of TypeScript.
#[test]
fn declarations_of_the_end_to_end_tests_are_fresh() -> Result<(), hallpass::typescript::Stale> {
    hallpass::typescript::<Claims, View, Update>().check("../../e2e/types/hallpass.d.ts")
}
