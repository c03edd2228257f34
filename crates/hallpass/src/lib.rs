//! Authentication for Rust with the ease of Auth.js.

mod actions;
mod auth;
mod builder;
pub mod clock;
mod config;
mod cookie;
mod core;
mod credentials;
mod email;
mod error;
mod hooks;
pub mod http;
pub mod jose;
mod link;
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

pub use auth::{Auth, SessionRead};
pub use builder::{Builder, Dangerous};
pub use clock::Timestamp;
pub use config::{Compat, ConfigError, Environment, Forwarded, PagePaths, Problem};
pub use cookie::{CookieKind, CookieOptions, SameSite};
pub use core::{Core, MAX_BODY};
pub use credentials::Credentials;
pub use email::Email;
pub use error::{BoxError, Error, ErrorKind};
pub use hooks::{
    CredentialsInput, Decision, Event, Jwt, JwtDecision, JwtRead, JwtSignIn, JwtUpdate, Mail, NoClaims,
    NoUpdate, Redirect, SessionEvent, SessionUser, SignIn, Token, ViewUser,
};
pub use pages::{Field, Theme};
pub use request::RequestInfo;
pub use secret::Secret;
pub use session::Session;
pub use store::{MemoryStore, OneTimeToken, Rows, Store, StoreError, StoreErrorKind};
pub use user::{Account, AccountKind, User, UserError};
