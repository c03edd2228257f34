//! The connection: made when it is needed, made anew when it fails, never waited for too long.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hallpass::StoreError;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use tokio::sync::Mutex;

/// One connection for all requests. Clones share it.
#[derive(Clone)]
pub(crate) struct Connection {
    client: Client,
    open: Arc<Mutex<Open>>,
    timeout: Duration,
}

#[derive(Default)]
struct Open {
    connection: Option<MultiplexedConnection>,
    /// Counts the connections: who reports that one has failed may be late.
    number: u64,
}

impl Connection {
    pub(crate) fn new(url: &str) -> Result<Self, StoreError> {
        let client = Client::open(url).map_err(StoreError::unavailable)?;
        #[cfg(feature = "tls")]
        if matches!(client.get_connection_info().addr(), redis::ConnectionAddr::TcpTls { .. }) {
            choose_cryptography();
        }
        Ok(Self { client, open: Arc::default(), timeout: TIMEOUT })
    }

    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Asks the server. A connection that fails or is silent is given up, so that the next request makes a new one.
    pub(crate) async fn ask<T>(
        &self,
        ask: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, StoreError> {
        let mut used = None;
        let asked = tokio::time::timeout(self.timeout, async {
            let (mut connection, number) = self.connect().await?;
            used = Some(number);
            ask(&mut connection).await
        });
        let asked = asked.await;
        let is_lost =
            asked.as_ref().map_or(true, |it| it.as_ref().is_err_and(RedisError::is_unrecoverable_error));
        if let Some(number) = used.filter(|_| is_lost) {
            self.give_up(number).await;
        }
        match asked {
            Ok(answer) => answer.map_err(StoreError::unavailable),
            Err(_) => Err(StoreError::unavailable("redis did not answer in time")),
        }
    }

    async fn connect(&self) -> Result<(MultiplexedConnection, u64), RedisError> {
        let mut open = self.open.lock().await;
        if let Some(connection) = &open.connection {
            return Ok((connection.clone(), open.number));
        }
        // The time-out of the whole request is enough.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        open.number += 1;
        open.connection = Some(connection.clone());
        Ok((connection, open.number))
    }

    async fn give_up(&self, number: u64) {
        let mut open = self.open.lock().await;
        if open.number == number {
            open.connection = None;
        }
    }
}

/// The client takes what the process has chosen, and panics where nobody chose and the build has two to choose from.
#[cfg(feature = "tls")]
fn choose_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may be faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Asks for what may be asked twice: where the connection was lost while nobody looked, on a new one.
pub(crate) async fn read<T, F: Future<Output = Result<T, StoreError>>>(
    ask: impl Fn() -> F,
) -> Result<T, StoreError> {
    match ask().await {
        Err(error) if is_lost(&error) => ask().await,
        answer => answer,
    }
}

/// Whether the server may have been there, had the connection been a new one.
fn is_lost(error: &StoreError) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<RedisError>());
    source.is_some_and(|error| error.is_unrecoverable_error() && !error.is_connection_refusal())
}

/// The address may hold a password.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

const TIMEOUT: Duration = Duration::from_secs(5);
