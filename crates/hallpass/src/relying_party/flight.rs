//! A value that many want and one fetches.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};

use crate::Timestamp;
use crate::oauth::ProtocolError;

/// Keeps the last value that was fetched. Whoever needs a newer one while it is on its way waits for the same
/// fetch and shares its end, good or bad; a failure is not kept.
pub(super) struct Flight<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    landed: Option<(Timestamp, Arc<T>)>,
    /// Weak: a fetch that everybody gave up is forgotten.
    under_way: Option<WeakShared<Fetch<T>>>,
}

type Fetch<T> = BoxFuture<'static, Result<Arc<T>, ProtocolError>>;

impl<T: Send + Sync + 'static> Flight<T> {
    /// The value that is there if it is `good_enough` (given its age), or else what is on its way, or else what
    /// `fetch` brings, which is not called before. A value that is not good enough must do when `may_fetch`
    /// says so.
    pub(super) async fn get<F>(
        &self,
        now: Timestamp,
        good_enough: impl FnOnce(&Arc<T>, Duration) -> bool,
        may_fetch: impl FnOnce(Duration) -> bool,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<T>, ProtocolError>
    where
        F: Future<Output = Result<T, ProtocolError>> + Send + 'static,
    {
        let under_way = {
            let mut state = lock(&self.0);
            if let Some((at, value)) = &state.landed
                && good_enough(value, age(*at, now))
            {
                return Ok(value.clone());
            }
            match (state.under_way(), &state.landed) {
                (Some(under_way), _) => under_way,
                (None, Some((at, value))) if !may_fetch(age(*at, now)) => return Ok(value.clone()),
                (None, _) => state.start(self.land(now, fetch())),
            }
        };
        under_way.await
    }

    fn land(
        &self,
        now: Timestamp,
        fetch: impl Future<Output = Result<T, ProtocolError>> + Send + 'static,
    ) -> Fetch<T> {
        let state = Arc::clone(&self.0);
        let landing = async move {
            let value = Arc::new(fetch.await?);
            lock(&state).landed = Some((now, value.clone()));
            Ok(value)
        };
        landing.boxed()
    }
}

impl<T> State<T> {
    fn under_way(&self) -> Option<Shared<Fetch<T>>> {
        self.under_way.as_ref().and_then(WeakShared::upgrade).filter(|it| it.peek().is_none())
    }

    fn start(&mut self, fetch: Fetch<T>) -> Shared<Fetch<T>> {
        let fetch = fetch.shared();
        self.under_way = fetch.downgrade();
        fetch
    }
}

impl<T> Default for Flight<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { landed: None, under_way: None })))
    }
}

impl<T> fmt::Debug for Flight<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight").finish_non_exhaustive()
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn age(then: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(now.millis().saturating_sub(then.millis())).unwrap_or_default())
}
