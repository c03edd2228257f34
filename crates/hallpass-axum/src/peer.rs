//! Where a request comes from.

#[cfg(feature = "tokio")]
use std::net::SocketAddr;

#[cfg(feature = "tokio")]
use axum::extract::ConnectInfo;
#[cfg(feature = "tokio")]
use hallpass::Peer;
use http::Extensions;

/// Tells Hallpass the address of the connection, where the server was made with
/// `into_make_service_with_connect_info::<SocketAddr>()`. A [`Peer`] that is there counts: behind a proxy somebody else
/// has found out who the visitor is.
#[cfg(feature = "tokio")]
pub(crate) fn note(extensions: &mut Extensions) {
    if extensions.get::<Peer>().is_some() {
        return;
    }
    if let Some(ConnectInfo(address)) = extensions.get::<ConnectInfo<SocketAddr>>() {
        let peer = Peer(address.ip().to_canonical());
        extensions.insert(peer);
    }
}

#[cfg(not(feature = "tokio"))]
pub(crate) fn note(_: &mut Extensions) {}
