//! A token of the provider is kept with the session: for the server alone.

use hallpass::{Builder, Jwt};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    pub session_token: Option<String>,
}

/// `account` has every member of the provider's token answer, also those that only this provider has.
pub fn extend(builder: Builder) -> Builder<(), Claims> {
    builder.jwt(async |event: Jwt<Claims>, ()| {
        Ok(match event {
            Jwt::SignIn(it) => {
                let token = it.account.get("session_token").and_then(|token| token.as_str());
                Some(Claims { session_token: token.map(str::to_owned) })
            }
            Jwt::Read(it) => Some(it.claims),
        })
    })
}
