//! How Hallpass asks other servers.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};

mod address;
#[cfg(feature = "client")]
mod client;

#[cfg(feature = "client")]
pub use client::{Client, Limits};

/// Sends a request to a provider. The built-in one is `Client` (feature `client`).
///
/// An implementation must not follow redirects, keep cookies or send anything that the request does not
/// hold, and must bound time and size: a provider may be slow, hostile or both. It must also keep to the
/// request's [`Reach`]: [`Reach::allows`] says which addresses a name may stand for.
pub trait HttpClient: Send + Sync + std::fmt::Debug + 'static {
    /// Sends the request and collects the answer, whatever its status.
    ///
    /// # Errors
    /// When no complete answer arrived within the limits, or the address may not be asked.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>>;
}

/// Why no answer arrived.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The address is not one that may be asked: not https, or not public.
    #[error("{host} may not be asked: {why}")]
    Forbidden {
        /// Host of the address.
        host: String,
        /// Which rule it breaks.
        why: &'static str,
    },
    /// No complete answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// The answer was larger than the limit, in bytes.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The connection failed.
    #[error("the connection failed")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Which addresses a request may reach. It stands in the request's extensions; absent means [`Reach::Public`].
///
/// It follows from the configuration of a provider, never from what a provider answers, so a discovery
/// document cannot send Hallpass to a machine inside the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// https to public addresses only.
    #[default]
    Public,
    /// Also http and https to this machine: a configured endpoint is a loopback address.
    Loopback,
    /// Also https, never http, to private networks and this machine: the application said so with
    /// [`dangerous().allow_private_network()`](crate::providers::Dangerous::allow_private_network).
    PrivateNetwork,
    /// Also http and https to private networks and this machine: the operator has named this very origin.
    Named,
}
