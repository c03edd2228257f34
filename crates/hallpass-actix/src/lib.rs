//! [Hallpass](hallpass) for [actix-web](actix_web): [routes](AuthExt::routes) to mount, [`Session`] in handlers, a
//! [guard](AuthExt::require_session) for scopes.
//!
//! ```
//! use actix_web::{App, web};
//! use hallpass::{Auth, Jwt};
//! use hallpass_actix::{AuthExt, MaybeSession, Session};
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
//! async fn home(MaybeSession(session): MaybeSession<Claims>) -> String {
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
//! // What `HttpServer::new` calls, once for each of its threads.
//! let app = move || {
//!     App::new()
//!         .route("/", web::get().to(home))
//!         .route("/role", web::get().to(role))
//!         .configure(auth.routes())
//!         .wrap(auth.layer())
//! };
//! # let _ = app();
//! # Ok(()) }
//! ```
//!
//! A scope for those who are signed in, and one for some of them:
//!
//! ```
//! # use actix_web::{App, web};
//! # use hallpass::{Auth, Credentials};
//! # use hallpass_actix::AuthExt;
//! # fn main() -> Result<(), hallpass::ConfigError> {
//! # let auth = Auth::builder()
//! #     .secret("a text of at least 32 characters, at random")
//! #     .credentials(Credentials::new(), async |_, _| Ok(None))
//! #     .build()?;
//! let staff = auth.require_session().when(|session| {
//!     session.user.email.as_deref().is_some_and(|email| email.ends_with("@example.com"))
//! });
//! let app = App::new()
//!     .service(web::scope("/members").wrap(auth.require_session()))
//!     .service(web::scope("/staff").wrap(staff))
//!     .configure(auth.routes())
//!     .wrap(auth.layer());
//! # let _ = app;
//! # Ok(()) }
//! ```
//!
//! The routes stand below [`Builder::base_path`](hallpass::Builder::base_path), so they are mounted at the `App`, not
//! in a scope. Where the claims of a handler's `Session<C>` are not those of the mounted [`Auth`](hallpass::Auth),
//! which actix-web finds at run time, the answer is 500 and the log says so.
//!
//! A service that only reads the sessions of another (an Auth.js application, say) needs none of this, and no more than
//! `default-features = false`: see [`Token`].

#[cfg(feature = "engine")]
mod convert;
#[cfg(feature = "engine")]
mod guard;
#[cfg(feature = "engine")]
mod layer;
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
pub use session::{MaybeSession, Session, SessionRejection};
pub use token::{Token, TokenRejection};
