//! How other servers are asked: as usual, and with a note of what time they think it is.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hallpass::clock::{Clock, SystemClock};
use hallpass::http::{Client, HttpClient, HttpError, Limits, Reach};
use http::header::DATE;
use http::{Request, Response};

/// The client of the library. Clones share what they have noted.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    client: Client,
    clocks: Arc<Mutex<Vec<(String, i64)>>>,
}

impl Asking {
    pub(super) fn new(limit: Duration) -> Self {
        let limits = Limits { connect: limit.min(Duration::from_secs(5)), total: limit, ..Limits::DEFAULT };
        Self { client: Client::with_limits(limits), clocks: Arc::default() }
    }

    /// Asks for an address that the operator has named, wherever it is.
    pub(super) async fn get_named(&self, url: &str) -> Result<Response<Bytes>, HttpError> {
        let request =
            Request::get(url).body(Bytes::new()).map_err(|error| HttpError::Connection(error.into()))?;
        self.send_named(request).await
    }

    /// The same with a request of one's own.
    pub(super) async fn send_named(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        request.extensions_mut().insert(Reach::Named);
        self.send(request).await
    }

    /// The hosts that have told the time, and by how many seconds they are ahead of this machine.
    pub(super) fn clocks(&self) -> Vec<(String, i64)> {
        self.clocks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, host: String, response: &Response<Bytes>) {
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let theirs = date.and_then(|date| httpdate::parse_http_date(date).ok());
        let theirs = theirs.and_then(|theirs| theirs.duration_since(SystemTime::UNIX_EPOCH).ok());
        let Some(theirs) = theirs.and_then(|it| i64::try_from(it.as_secs()).ok()) else { return };
        let ahead = theirs.saturating_sub(SystemClock.now().seconds());
        let mut clocks = self.clocks.lock().unwrap_or_else(PoisonError::into_inner);
        if clocks.iter().all(|(known, _)| *known != host) {
            clocks.push((host, ahead));
        }
    }
}

impl HttpClient for Asking {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        Box::pin(async move {
            let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
            let response = self.client.send(request).await?;
            self.note(host, &response);
            Ok(response)
        })
    }
}
