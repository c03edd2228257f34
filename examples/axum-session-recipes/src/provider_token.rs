//! A token of the provider is kept with the session: for the server alone.

use hallpass::{Builder, Jwt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token: Option<String>,
}

/// `account` has every member of the provider's token answer, also those that only this provider has.
pub fn extend<S: Clone + Send + Sync + 'static>(builder: Builder<S>) -> Builder<S, Claims> {
    builder.jwt(async |event: Jwt<Claims>, _| {
        Ok(match event {
            Jwt::SignIn(it) => {
                let token = it.account.get("session_token").and_then(|token| token.as_str());
                Some(Claims { session_token: token.map(str::to_owned) })
            }
            Jwt::Read(it) => Some(it.claims),
        })
    })
}
