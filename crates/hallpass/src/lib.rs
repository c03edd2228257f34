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
//! | give the types of a session to a front end | `typescript`, `schema` (features) |
//! | change the pages | [`pages`], [`PagePaths`] |
//! | only read sessions of Auth.js | [`TokenReader`], with `default-features = false` |
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `client` | yes | the built-in HTTP client; without it, call [`Builder::http_client`] |
//! | `engine` | yes | everything but reading tokens |
//! | `tower` | no | `TokenLayer`: a [`TokenReader`] in front of any tower service |
//! | `smtp` | no | sends mails with magic links to a mail server |
//! | `schema` | no | JSON Schema of the application's types |
//! | `testkit` | no | whole flows without sockets, for tests |
//! | `typescript` | no | TypeScript declarations of the application's types |

#[cfg(feature = "engine")]
mod actions;
#[cfg(feature = "engine")]
mod attempt;
#[cfg(feature = "engine")]
mod auth;
#[cfg(feature = "engine")]
mod builder;
#[cfg(feature = "engine")]
mod causes;
pub mod clock;
#[cfg(feature = "engine")]
mod config;
#[cfg(feature = "engine")]
mod cookie;
#[cfg(feature = "engine")]
mod core;
#[cfg(feature = "engine")]
mod credentials;
#[cfg(feature = "engine")]
mod dialect;
#[cfg(feature = "engine")]
mod email;
#[cfg(feature = "engine")]
mod error;
#[cfg(feature = "engine")]
mod hex;
#[cfg(feature = "engine")]
mod hooks;
#[cfg(feature = "engine")]
pub mod http;
pub mod jose;
#[cfg(feature = "engine")]
mod link;
#[cfg(feature = "engine")]
pub mod mail;
#[cfg(feature = "engine")]
pub mod oauth;
#[cfg(feature = "engine")]
pub mod oidc;
#[cfg(feature = "engine")]
pub mod pages;
#[cfg(feature = "engine")]
pub mod providers;
pub mod random;
mod received;
#[cfg(feature = "engine")]
mod redirect;
#[cfg(feature = "engine")]
mod relying_party;
#[cfg(feature = "engine")]
mod request;
#[cfg(feature = "engine")]
mod respond;
#[cfg(feature = "schema")]
mod schema;
mod secret;
#[cfg(feature = "engine")]
mod session;
#[cfg(feature = "engine")]
pub mod shell;
#[cfg(feature = "engine")]
mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
mod token_reader;
#[cfg(feature = "typescript")]
pub mod typescript;
#[cfg(feature = "engine")]
mod user;
#[cfg(feature = "engine")]
mod verify;

#[cfg(feature = "engine")]
pub use attempt::Attempt;
#[cfg(feature = "engine")]
pub use auth::{Auth, ConfiguredProvider, ForRequest, SessionHandle, SessionRead, Sessions, Swept, Users};
#[cfg(feature = "engine")]
pub use builder::{Builder, Dangerous};
#[cfg(feature = "engine")]
pub use causes::with_causes;
pub use clock::Timestamp;
#[cfg(feature = "engine")]
pub use config::{Compat, ConfigError, Environment, Forwarded, PagePaths, Problem, Strategy};
#[cfg(feature = "engine")]
pub use cookie::{CookieKind, CookieOptions, SameSite};
#[cfg(feature = "engine")]
pub use core::{Core, MAX_BODY};
#[cfg(feature = "engine")]
pub use credentials::Credentials;
#[cfg(feature = "engine")]
pub use email::Email;
#[cfg(feature = "engine")]
pub use error::{BoxError, Error, ErrorKind};
#[cfg(feature = "engine")]
pub use hooks::{
    ClientLog, CredentialsInput, Decision, Event, Jwt, JwtDecision, JwtRead, JwtSignIn, JwtUpdate, Mail,
    NoClaims, NoUpdate, Redirect, SessionEvent, SessionUser, SignIn, Token, ViewUser,
};
pub use jose::Dialect;
#[cfg(feature = "engine")]
pub use pages::{Field, Theme};
#[cfg(feature = "engine")]
pub use request::{Peer, RequestInfo};
#[cfg(feature = "schema")]
pub use schema::schema;
pub use secret::Secret;
#[cfg(feature = "engine")]
pub use session::{Session, is_secret_name, strip_secrets};
#[cfg(feature = "engine")]
pub use store::{
    Epoch, MemoryStore, OneTimeToken, Revoke, Rows, SessionChange, SessionToken, Store, StoreError,
    StoreErrorKind, StoredSession, UserChange, UserPage,
};
pub use token_reader::{DecodedToken, TokenError, TokenReader};
#[cfg(feature = "tower")]
pub use token_reader::{RequestToken, TokenLayer, TokenService};
#[cfg(feature = "typescript")]
pub use typescript::typescript;
#[cfg(feature = "engine")]
pub use user::{Account, AccountKind, User, UserError};

/// What the guide shows runs.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../../../docs/pages.md")]
mod guide_to_the_pages {}
