//! Name, avatar and role come from an API whenever the session is shown.

use hallpass::{Builder, SessionEvent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::provider_token::Claims;

/// What callbacks need: the second argument of each.
#[derive(Clone)]
pub struct Api {
    pub client: reqwest::Client,
    pub url: String,
}

#[derive(Serialize, JsonSchema)]
pub struct View {
    pub user: Person,
}

/// What the API says, and what the browser sees.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Person {
    pub name: String,
    pub avatar: String,
    pub role: Role,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Admin,
    Manager,
    User,
}

/// An API that fails ends in `null`; one that hangs in 503, and nobody is signed out.
pub fn extend(builder: Builder<Api, Claims>) -> Builder<Api, Claims> {
    builder.session(async |it: SessionEvent<Claims>, api: Api| {
        let token = it.claims.session_token.ok_or("this provider gives no session token")?;
        let answer = api.client.get(format!("{}/api/session/{token}", api.url)).send().await?;
        Ok(View { user: answer.error_for_status()?.json().await? })
    })
}
