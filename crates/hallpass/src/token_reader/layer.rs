//! Tokens in the extensions of requests.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Request;
use serde::de::DeserializeOwned;
use tower_layer::Layer;
use tower_service::Service;

use super::{DecodedToken, TokenError, TokenReader};

/// Reads the token of each request and puts a [`RequestToken<C>`] into its extensions. It refuses nobody: that is the
/// service's to decide.
///
/// ```
/// use hallpass::{RequestToken, TokenLayer, TokenReader};
/// use serde::Deserialize;
/// # use tower_layer::Layer;
///
/// #[derive(Deserialize)]
/// struct Claims {
///     role: String,
/// }
///
/// async fn answer<B>(request: http::Request<B>) -> Result<http::Response<String>, std::convert::Infallible> {
///     let token = request.extensions().get::<RequestToken<Claims>>().and_then(RequestToken::token);
///     let Some(token) = token else {
///         return Ok(http::Response::builder().status(401).body(String::new()).expect("a response"));
///     };
///     Ok(http::Response::new(token.claims.role.clone()))
/// }
///
/// let layer = TokenLayer::<Claims>::new(TokenReader::new("the secret of the Next.js application"));
/// # let _ = layer.layer(());
/// ```
pub struct TokenLayer<C> {
    reader: Arc<TokenReader>,
    claims: PhantomData<fn() -> C>,
}

impl<C> TokenLayer<C> {
    /// A layer that reads tokens with `reader`.
    pub fn new(reader: TokenReader) -> Self {
        Self { reader: Arc::new(reader), claims: PhantomData }
    }
}

impl<C> Clone for TokenLayer<C> {
    fn clone(&self) -> Self {
        Self { reader: Arc::clone(&self.reader), claims: PhantomData }
    }
}

impl<C> fmt::Debug for TokenLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenLayer").field("reader", &self.reader).finish()
    }
}

impl<S, C> Layer<S> for TokenLayer<C> {
    type Service = TokenService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        TokenService { inner, layer: self.clone() }
    }
}

/// The service that [`TokenLayer`] makes.
#[derive(Debug)]
pub struct TokenService<S, C> {
    inner: S,
    layer: TokenLayer<C>,
}

impl<S: Clone, C> Clone for TokenService<S, C> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, B, C> Service<Request<B>> for TokenService<S, C>
where
    S: Service<Request<B>>,
    C: DeserializeOwned + Send + Sync + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let read = self.layer.reader.read::<C>(request.headers());
        request.extensions_mut().insert(RequestToken(read.map(|token| token.map(Arc::new))));
        self.inner.call(request)
    }
}

/// What [`TokenLayer`] has read.
#[derive(Debug)]
pub struct RequestToken<C>(pub Result<Option<Arc<DecodedToken<C>>>, TokenError>);

impl<C> RequestToken<C> {
    /// The token, if the request has one that is good.
    pub fn token(&self) -> Option<&Arc<DecodedToken<C>>> {
        self.0.as_ref().ok().and_then(Option::as_ref)
    }
}

impl<C> Clone for RequestToken<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
