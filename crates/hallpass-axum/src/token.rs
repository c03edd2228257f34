//! The token of a session that somebody else keeps, in a handler's arguments.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use hallpass::{DecodedToken, RequestToken, TokenError};
use http::StatusCode;
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::request::Parts;

/// What [`TokenLayer`](hallpass::TokenLayer) has read from the request, for services that only read sessions.
///
/// As an argument of a handler it demands that there is a good token; `Option<Token<C>>` does not.
///
/// ```
/// use axum::{Router, routing::get};
/// use hallpass::{TokenLayer, TokenReader};
/// use hallpass_axum::Token;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Claims {
///     role: String,
/// }
///
/// async fn role(token: Token<Claims>) -> String {
///     token.claims.role.clone()
/// }
///
/// let reader = TokenReader::new("the secret of the Next.js application");
/// let app: Router = Router::new().route("/role", get(role)).layer(TokenLayer::<Claims>::new(reader));
/// ```
#[derive(Debug)]
pub struct Token<C>(Arc<DecodedToken<C>>);

impl<C> Deref for Token<C> {
    type Target = DecodedToken<C>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<C> Clone for Token<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Send + Sync, C: Send + Sync + 'static> FromRequestParts<S> for Token<C> {
    type Rejection = TokenRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, TokenRejection> {
        let token = read(parts)?.0.clone().map_err(TokenRejection::Refused)?;
        token.map(Self).ok_or(TokenRejection::Missing)
    }
}

impl<S: Send + Sync, C: Send + Sync + 'static> OptionalFromRequestParts<S> for Token<C> {
    type Rejection = TokenRejection;

    /// `None` without a good token, as `getToken` has it.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, TokenRejection> {
        Ok(read(parts)?.token().cloned().map(Self))
    }
}

fn read<C: Send + Sync + 'static>(parts: &Parts) -> Result<&RequestToken<C>, TokenRejection> {
    parts.extensions.get().ok_or(TokenRejection::NoLayer)
}

/// Why a handler was not called.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenRejection {
    /// The request has no token: 401.
    Missing,
    /// The token is not good: 401.
    Refused(TokenError),
    /// No [`TokenLayer`](hallpass::TokenLayer) with claims of this type is around the handler: 500.
    NoLayer,
}

impl IntoResponse for TokenRejection {
    fn into_response(self) -> Response {
        let headers = [(WWW_AUTHENTICATE, "Bearer"), (CACHE_CONTROL, "no-store")];
        match self {
            Self::Missing | Self::Refused(_) => {
                (StatusCode::UNAUTHORIZED, headers, "sign in first").into_response()
            }
            Self::NoLayer => (StatusCode::INTERNAL_SERVER_ERROR, "there is no TokenLayer").into_response(),
        }
    }
}
