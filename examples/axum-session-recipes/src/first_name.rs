//! A person changes their first name. It is theirs and not the session's, so that all their sessions show it.

use std::sync::{Arc, OnceLock};

use hallpass::{Auth, Builder, ConfigError, Jwt, NoClaims, UserChange};
use serde::Deserialize;

/// What a page may ask for: `update({ name })`.
#[derive(Deserialize)]
pub struct Update {
    pub name: String,
}

/// The state of the callbacks: the application's `Auth`, which is there once it is built.
#[derive(Clone, Default)]
pub struct App {
    auth: Arc<OnceLock<Auth>>,
}

pub fn build(builder: Builder<App>, app: &App) -> Result<Auth, ConfigError> {
    let auth = builder
        .jwt(async |event: Jwt<NoClaims, Update>, app: App| {
            Ok(match event {
                Jwt::SignIn(it) => it.token.with(NoClaims {}),
                Jwt::Update(mut it) => {
                    let auth = app.auth.get().ok_or("nobody has a session before there is an `Auth`")?;
                    let change = UserChange::new().name(it.update.name.clone());
                    auth.users().update(&it.user.id, change).await?;
                    // Other sessions see it at their next read, this one in the answer.
                    it.token.name = Some(it.update.name);
                    it.token.with(it.claims)
                }
                Jwt::Read(it) => it.token.with(it.claims),
            })
        })
        .build()?;
    Ok(app.auth.get_or_init(|| auth).clone())
}
