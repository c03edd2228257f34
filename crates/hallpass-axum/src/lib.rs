//! [Hallpass](hallpass) for [axum]: [routes](AuthExt::routes) to mount, [`Session`] in handlers, a
//! [guard](AuthExt::require_session) for routers.
//!
//! ```
//! use axum::{Router, routing::get};
//! use hallpass::{Auth, Jwt};
//! use hallpass_axum::{AuthExt, Session};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Claims {
//!     role: String,
//! }
//!
//! async fn role(session: Session<Claims>) -> String {
//!     session.claims.role.clone()
//! }
//!
//! async fn home(session: Option<Session<Claims>>) -> String {
//!     session.and_then(|session| session.user.name.clone()).unwrap_or_else(|| "stranger".to_owned())
//! }
//!
//! # fn main() -> Result<(), hallpass::ConfigError> {
//! let auth = Auth::builder()
//!     .secret("a text of at least 32 characters, at random")
//!     .provider(hallpass::providers::GITHUB.client("id", "secret"))
//!     .jwt(async |event: Jwt<Claims>, _| {
//!         Ok(match event {
//!             Jwt::SignIn(_) => Some(Claims { role: "reader".to_owned() }),
//!             Jwt::Read(it) => Some(it.claims),
//!         })
//!     })
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/", get(home))
//!     .route("/role", get(role))
//!     .merge(auth.routes())
//!     .layer(auth.layer())
//!     .with_state(auth);
//! # Ok(()) }
//! ```
//!
//! An application with a state of its own lets axum find the `Auth` in it, and merges the routes (their base path is
//! [`Builder::base_path`](hallpass::Builder::base_path), so they need no `nest`):
//!
//! ```
//! # use axum::{Router, extract::FromRef};
//! # use hallpass::{Auth, NoClaims};
//! # use hallpass_axum::AuthExt;
//! #[derive(Clone)]
//! struct App {
//!     auth: Auth,
//!     greeting: &'static str,
//! }
//!
//! impl FromRef<App> for Auth {
//!     fn from_ref(app: &App) -> Self {
//!         app.auth.clone()
//!     }
//! }
//!
//! fn router(app: App) -> Router {
//!     Router::new().merge(app.auth.routes()).layer(app.auth.layer()).with_state(app)
//! }
//! ```
//!
//! Callbacks and the list of sessions know the visitor's address where the server is made with
//! `into_make_service_with_connect_info::<SocketAddr>()`, or a layer of yours puts a [`Peer`](hallpass::Peer) into the
//! request's extensions, as it should behind a proxy.
//!
//! A service that only reads the sessions of another (an Auth.js application, say) needs none of this, and no more than
//! `default-features = false`: see [`Token`].
//!
//! A handler that wants other claims than the application keeps does not compile:
//!
//! ```compile_fail,E0308
//! # use axum::{Router, routing::get};
//! # use hallpass::{Auth, Jwt};
//! # use hallpass_axum::{AuthExt, Session};
//! # use serde::{Deserialize, Serialize};
//! #[derive(Serialize, Deserialize)]
//! struct Claims { role: String }
//! #[derive(Serialize, Deserialize)]
//! struct Other { colour: String }
//!
//! async fn colour(session: Session<Other>) -> String { session.claims.colour.clone() }
//!
//! # fn main() -> Result<(), hallpass::ConfigError> {
//! let auth: Auth<Claims> = Auth::builder()
//!     .provider(hallpass::providers::GITHUB.client("id", "secret"))
//!     .jwt(async |_: Jwt<Claims>, _| Ok(None))
//!     .build()?;
//! let app: Router = Router::new().route("/", get(colour)).with_state(auth);
//! # Ok(()) }
//! ```

#[cfg(feature = "engine")]
mod guard;
#[cfg(feature = "engine")]
mod layer;
#[cfg(feature = "engine")]
mod peer;
#[cfg(feature = "engine")]
mod routes;
#[cfg(feature = "engine")]
mod session;
mod token;

#[cfg(feature = "engine")]
pub use guard::{RequireSession, RequireSessionService};
#[cfg(feature = "engine")]
pub use layer::{SessionLayer, SessionService};
#[cfg(feature = "engine")]
pub use routes::{AuthExt, ConfigErrorExt};
#[cfg(feature = "engine")]
pub use session::{Session, SessionRejection};
pub use token::{Token, TokenRejection};

/// What the README shows compiles.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../../../README.md")]
mod readme {}
