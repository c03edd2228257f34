//! The session is completed by a query of the database and a call to another server.

use hallpass::{Builder, NoClaims, SessionEvent, ViewUser};
use serde::Serialize;
use sqlx::SqlitePool;

use crate::enriched::Api;

/// What callbacks need: the second argument of each.
#[derive(Clone)]
pub struct App {
    pub database: SqlitePool,
    pub api: Api,
}

#[derive(Serialize)]
pub struct View {
    pub user: ViewUser,
    /// What the database says.
    pub plan: Option<String>,
    /// What the API says.
    pub unread: u32,
}

/// The database decides what somebody has paid for, and another server counts their mails.
pub fn extend(builder: Builder<App>) -> Builder<App> {
    builder.session(async |it: SessionEvent<NoClaims>, app: App| {
        let plan = sqlx::query_scalar("SELECT plan FROM plans WHERE name = ?").bind(it.user.name.as_deref());
        let plan = plan.fetch_optional(&app.database).await?;
        let answer = app.api.client.get(format!("{}/api/unread", app.api.url)).send().await?;
        Ok(View { user: it.user.public(), plan, unread: answer.error_for_status()?.json().await? })
    })
}
