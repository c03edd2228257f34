//! The token of a session that somebody else keeps, in a handler's arguments.

use std::fmt;
use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderName as ActixName};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use hallpass::{DecodedToken, TokenError, TokenReader};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::de::DeserializeOwned;

/// What the [`TokenReader`] in the application's data reads from the request, for services that only read sessions.
///
/// As an argument of a handler it demands that there is a good token; `Option<Token<C>>` does not.
///
/// ```
/// use actix_web::{App, web};
/// use hallpass::TokenReader;
/// use hallpass_actix::Token;
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
/// let app = move || App::new().app_data(reader.clone()).route("/role", web::get().to(role));
/// # let _ = app();
/// ```
#[derive(Clone, Debug)]
pub struct Token<C>(DecodedToken<C>);

impl<C> Deref for Token<C> {
    type Target = DecodedToken<C>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<C: DeserializeOwned> FromRequest for Token<C> {
    type Error = TokenRejection;
    type Future = Ready<Result<Self, TokenRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request).map(Self))
    }
}

fn read<C: DeserializeOwned>(request: &HttpRequest) -> Result<DecodedToken<C>, TokenRejection> {
    let given = request.app_data::<TokenReader>();
    let reader = given.or_else(|| request.app_data::<Data<TokenReader>>().map(|data| data.get_ref()));
    let reader = reader.ok_or(TokenRejection::NoReader)?;
    let mut headers = HeaderMap::new();
    copy(request, &COOKIE, &header::COOKIE, &mut headers);
    copy(request, &AUTHORIZATION, &header::AUTHORIZATION, &mut headers);
    reader.read(&headers).map_err(TokenRejection::Refused)?.ok_or(TokenRejection::Missing)
}

/// actix-web speaks version 0.2 of the crate `http`.
fn copy(request: &HttpRequest, from: &ActixName, to: &HeaderName, headers: &mut HeaderMap) {
    let values = request.headers().get_all(from);
    for value in values.filter_map(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
        headers.append(to.clone(), value);
    }
}

/// Why a handler was not called.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenRejection {
    /// The request has no token: 401.
    Missing,
    /// The token is not good: 401.
    Refused(TokenError),
    /// The application's data holds no [`TokenReader`]: 500.
    NoReader,
}

impl fmt::Display for TokenRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing | Self::Refused(_) => "sign in first",
            Self::NoReader => "there is no TokenReader",
        })
    }
}

impl std::error::Error for TokenRejection {}

impl ResponseError for TokenRejection {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Missing | Self::Refused(_) => StatusCode::UNAUTHORIZED,
            Self::NoReader => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header(("www-authenticate", "Bearer"));
        }
        response.insert_header(("cache-control", "no-store")).body(self.to_string())
    }
}
