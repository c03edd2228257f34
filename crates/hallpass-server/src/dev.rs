//! Development mode: demo users, a secret that is made and kept, and a page that shows what happens.
//! For this machine only.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use hallpass::Auth;

use crate::config::Config;
use crate::session::Claims;

mod callbacks;
mod demo;
mod guard;
mod idp;
mod inbox;
mod mask;
mod page;
mod secret;
mod sessions;
mod timeline;
mod update;
mod visitor;

pub(crate) use callbacks::{authorize, callbacks};
pub(crate) use demo::{PEOPLE, add_demo_users, form};
pub(crate) use guard::only_this_machine;
pub(crate) use idp::StandIn;
pub(crate) use inbox::Inbox;
pub(crate) use mask::{masked, masked_form, sounds_secret};
pub(crate) use secret::{kept_secret, make_home};
use timeline::Timeline;
pub(crate) use timeline::observe;

/// What the page shows.
#[derive(Clone, Debug)]
pub(crate) struct Dev {
    auth: Auth<Claims>,
    timeline: Arc<Timeline>,
    /// The address of this server.
    origin: Arc<str>,
    /// Names of the providers.
    providers: Arc<[String]>,
    /// Where mails stay; none when they are sent.
    inbox: Option<Inbox>,
    /// Stands in for providers.
    stand_in: Option<StandIn>,
    /// What became of the last change that the page's form sent.
    last_change: update::LastChange,
}

impl Dev {
    pub(crate) fn new(config: &Config, auth: &Auth<Claims>, origin: &str) -> Self {
        Self {
            auth: auth.clone(),
            timeline: Arc::default(),
            origin: origin.into(),
            providers: config.provider_names().map(str::to_owned).collect(),
            inbox: config.inbox().cloned(),
            stand_in: config.stand_in().cloned(),
            last_change: update::LastChange::default(),
        }
    }
}

/// Adds the page, and watches the callbacks of all requests.
pub(crate) fn mount(router: Router, dev: Dev) -> Router {
    let timeline = Arc::clone(&dev.timeline);
    let inbox = dev.inbox.clone().map(inbox::routes).unwrap_or_default();
    let idp = dev.stand_in.clone().map(idp::routes).unwrap_or_default();
    let pages = Router::new()
        .route("/", get(page::page))
        .route("/dev/update", post(update::update))
        .route("/dev/sessions", post(sessions::end))
        .with_state(dev);
    router
        .merge(pages)
        .merge(inbox)
        .merge(idp)
        .layer(from_fn_with_state(timeline, timeline::watch))
        .layer(from_fn(guard::only_this_machine))
}
