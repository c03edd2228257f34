//! The user as they were at the first sign-in.

use hallpass::{Builder, Jwt, SessionEvent, User};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Claims {
    pub user: Profile,
}

/// Written out, so that a password or a provider's token cannot slip in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Profile {
    pub id: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub provider: String,
}

#[derive(Serialize)]
pub struct View {
    pub user: Profile,
}

pub fn extend(builder: Builder) -> Builder<(), Claims> {
    builder
        .jwt(async |event: Jwt<Claims>, ()| {
            Ok(match event {
                Jwt::SignIn(it) => {
                    let User { id, name, email, .. } = it.user;
                    Some(Claims { user: Profile { id, name, email, provider: it.account.provider } })
                }
                Jwt::Read(it) => Some(it.claims),
            })
        })
        .session(async |it: SessionEvent<Claims>, ()| Ok(View { user: it.claims.user }))
}
