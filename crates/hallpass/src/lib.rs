//! Authentication for Rust with the ease of Auth.js: pick providers, mount one route, extend the session in two
//! callbacks, read it anywhere.
//!
//! This crate is the engine, and knows no web framework: [`Core::handle`] takes a request and gives a response.
//! An application adds a shell, such as `hallpass-axum`.
//!
//! ```
//! use hallpass::{Auth, BoxError, Jwt, ViewUser, providers::GITHUB};
//! use serde::{Deserialize, Serialize};
//!
//! /// What the application keeps with a session. The browser never sees it.
//! #[derive(Serialize, Deserialize)]
//! struct Claims {
//!     role: String,
//! }
//!
//! /// What the browser sees: the body of `GET /session`.
//! #[derive(Serialize)]
//! struct View {
//!     user: ViewUser,
//!     role: String,
//! }
//!
//! # #[derive(Clone)] struct App;
//! # impl App { async fn role_of(&self, id: &str) -> Result<String, BoxError> { Ok("reader".to_owned()) } }
//! # let app = App;
//! let auth = Auth::builder_with(app)
//!     .secret("a text of at least 32 characters, at random")
//!     .provider(GITHUB.client("client id", "client secret"))
//!     .jwt(async |event: Jwt<Claims>, app| {
//!         Ok(match event {
//!             Jwt::SignIn(it) => Some(Claims { role: app.role_of(&it.user.id).await? }),
//!             Jwt::Read(it) => Some(it.claims),
//!         })
//!     })
//!     .session(async |it, _| Ok(View { user: it.user.public(), role: it.claims.role }))
//!     .build()?;
//! # Ok::<(), hallpass::ConfigError>(())
//! ```
//!
//! # Where things are
//!
//! | you want to | look at |
//! |---|---|
//! | configure | [`Builder`] |
//! | keep something with a session, and change it | [`Jwt`] |
//! | show something of it | [`SessionEvent`] |
//! | read a session | [`Auth::session`], [`Session`] |
//! | sign in with a provider | [`providers`] |
//! | sign in with a form, or a link by mail | [`Credentials`], [`Email`], [`mail`] |
//! | keep users | [`Store`] |
//! | change the pages | [`pages`], [`PagePaths`] |
//! | only read sessions of Auth.js | [`jose::TokenKeys`] |
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `client` | yes | the built-in HTTP client; without it, call [`Builder::http_client`] |
//! | `smtp` | no | sends mails with magic links to a mail server |
//! | `testkit` | no | whole flows without sockets, for tests |

mod actions;
mod auth;
mod builder;
pub mod clock;
mod config;
mod cookie;
mod core;
mod credentials;
mod dialect;
mod email;
mod error;
mod hooks;
pub mod http;
pub mod jose;
mod link;
pub mod mail;
pub mod oauth;
pub mod oidc;
pub mod pages;
pub mod providers;
pub mod random;
mod redirect;
mod relying_party;
mod request;
mod respond;
mod secret;
mod session;
mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
mod user;
mod verify;

pub use auth::{Auth, SessionHandle, SessionRead, Sessions, Users};
pub use builder::{Builder, Dangerous};
pub use clock::Timestamp;
pub use config::{Compat, ConfigError, Environment, Forwarded, PagePaths, Problem, Strategy};
pub use cookie::{CookieKind, CookieOptions, SameSite};
pub use core::{Core, MAX_BODY};
pub use credentials::Credentials;
pub use email::Email;
pub use error::{BoxError, Error, ErrorKind};
pub use hooks::{
    ClientLog, CredentialsInput, Decision, Event, Jwt, JwtDecision, JwtRead, JwtSignIn, JwtUpdate, Mail,
    NoClaims, NoUpdate, Redirect, SessionEvent, SessionUser, SignIn, Token, ViewUser,
};
pub use jose::Dialect;
pub use pages::{Field, Theme};
pub use request::{Peer, RequestInfo};
pub use secret::Secret;
pub use session::Session;
pub use store::{
    Epoch, MemoryStore, OneTimeToken, Revoke, Rows, SessionChange, SessionToken, Store, StoreError,
    StoreErrorKind, StoredSession, UserChange, UserPage,
};
pub use user::{Account, AccountKind, User, UserError};
