//! "Remember me": how long a session lives that nobody uses is up to the person who signs in.

use std::time::Duration;

use hallpass::{Builder, Jwt};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Claims {
    pub remember: bool,
}

pub fn extend(builder: Builder) -> Builder<(), Claims> {
    builder.jwt(async |event: Jwt<Claims>, ()| {
        let (token, remember) = match event {
            // Whoever comes by a provider has ticked no box.
            Jwt::SignIn(it) => (it.token, it.user.get("remember").is_some_and(|ticked| ticked == true)),
            Jwt::Read(it) => (it.token, it.claims.remember),
        };
        // At each read, since each read may renew the session.
        let days = if remember { 90 } else { 1 };
        Ok(token.max_age(Duration::from_secs(days * 24 * 60 * 60)).with(Claims { remember }))
    })
}
