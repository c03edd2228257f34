//! The user's id in the session.

use hallpass::{Builder, Jwt, NoClaims, SessionEvent, ViewUser};
use serde::{Deserialize, Serialize};

/// What the token keeps.
#[derive(Serialize, Deserialize)]
pub struct Claims {
    pub id: String,
}

/// What the browser sees.
#[derive(Serialize)]
pub struct View {
    pub user: Person,
}

#[derive(Serialize)]
pub struct Person {
    #[serde(flatten)]
    pub public: ViewUser,
    pub id: String,
}

/// From the token: `user` is there when somebody signs in, and at no other time.
pub fn extend(builder: Builder) -> Builder<(), Claims> {
    builder
        .jwt(async |event: Jwt<Claims>, ()| {
            Ok(match event {
                Jwt::SignIn(it) => Some(Claims { id: it.user.id }),
                Jwt::Read(it) => Some(it.claims),
            })
        })
        .session(async |it: SessionEvent<Claims>, ()| {
            Ok(View { user: Person { public: it.user.public(), id: it.claims.id } })
        })
}

/// From the database: the user comes with the session.
pub fn extend_from_database(builder: Builder) -> Builder {
    builder.session(async |it: SessionEvent<NoClaims>, ()| {
        Ok(View { user: Person { public: it.user.public(), id: it.user.id } })
    })
}
