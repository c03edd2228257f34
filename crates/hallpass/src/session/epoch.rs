//! Sessions in tokens learn what has happened to their user meanwhile.

use std::sync::Arc;

use super::{MOST_ATTEMPTS, Source, first_claims};
use crate::config::{Config, Epochs};
use crate::error::{Error, ErrorKind};
use crate::hooks::{Marker, Payload};
use crate::store::{DynStore, Epoch, patched};
use crate::{Strategy, Timestamp};

/// A token, after it has learnt what there is to learn.
pub(super) struct Current {
    pub(super) payload: Payload,
    /// Whether it has learnt something.
    pub(super) is_new: bool,
}

impl Source<'_> {
    /// Brings the payload of a token up to date; `None` when its session was revoked or is too old.
    pub(super) async fn catch_up(&self, payload: Payload) -> Result<Option<Current>, Error> {
        let marker = payload.marker();
        if self.is_over(marker.began) {
            return Ok(None);
        }
        let asked = (self.config.store.as_deref(), &self.config.epochs, payload.text("sub"));
        let (Some(store), Some(cache), Some(id)) = asked else {
            return Ok(Some(Current { payload, is_new: false }));
        };
        let Some(epoch) = epoch_of(cache, store, id).await? else {
            return Ok(Some(Current { payload, is_new: false }));
        };
        let is_revoked = match marker.began_in {
            Some(began_in) => began_in < epoch.revoked,
            None => epoch.not_before.is_some_and(|end| marker.began <= end),
        };
        if is_revoked {
            return Ok(None);
        }
        if epoch.number <= marker.epoch {
            return Ok(Some(Current { payload, is_new: false }));
        }
        let claims = patched(payload.claims()?, &epoch.patch_since(marker.epoch));
        let own = match Box::pin(store.user(id)).await? {
            Some(user) => first_claims(&user, Strategy::Jwt),
            None => payload.identity(),
        };
        let mut payload = Payload::of(own, &claims);
        let began_in = Some(marker.began_in.unwrap_or(epoch.number));
        payload.mark(Marker { began_in, epoch: epoch.number, ..marker });
        Ok(Some(Current { payload, is_new: true }))
    }

    /// Whether a session that began then has come to the end of its absolute life time.
    pub(super) fn is_over(&self, began: Timestamp) -> bool {
        self.config.session_absolute_max_age.is_some_and(|most| began + most <= self.now)
    }

    /// When a session ends that is renewed now.
    pub(super) fn lasts_until(&self, payload: &Payload, began: Timestamp) -> Timestamp {
        let end = self.now + payload.max_age.unwrap_or(self.config.session_max_age);
        match self.config.session_absolute_max_age {
            Some(most) => end.min(began + most),
            None => end,
        }
    }

    /// Notes in a new token when its session began.
    pub(super) async fn mark(&self, payload: &mut Payload, began: Timestamp) -> Result<(), Error> {
        let epoch = match (self.config.store.as_deref(), payload.text("sub")) {
            (Some(store), Some(id)) => store.epoch(id).await?.map_or(0, |epoch| epoch.number),
            _ if self.config.session_absolute_max_age.is_some() => 0,
            _ => return Ok(()),
        };
        payload.mark(Marker { began, began_in: Some(epoch), epoch });
        Ok(())
    }
}

/// The epoch of a user, as old as `revocation_delay` allows.
async fn epoch_of(cache: &Epochs, store: &dyn DynStore, id: &str) -> Result<Option<Arc<Epoch>>, Error> {
    if let Some(known) = cache.get(id) {
        return Ok(known);
    }
    let epoch = Box::pin(store.epoch(id)).await?.map(Arc::new);
    cache.insert(id.to_owned(), epoch.clone());
    Ok(epoch)
}

/// Begins a new epoch of a user: what `change` says reaches all their sessions in tokens.
///
/// # Errors
/// [`ErrorKind::Unavailable`] when the store does not answer.
pub(crate) async fn begin_epoch(
    config: &Config,
    store: &dyn DynStore,
    id: &str,
    change: impl Fn(Epoch) -> Epoch + Send + Sync,
) -> Result<(), Error> {
    for _ in 0..MOST_ATTEMPTS {
        let current = store.epoch(id).await?.unwrap_or_default();
        let number = current.number;
        let next = change(current.next());
        if store.begin_epoch(id, next.clone(), number).await? {
            if let Some(cache) = &config.epochs {
                cache.insert(id.to_owned(), Some(Arc::new(next)));
            }
            return Ok(());
        }
    }
    Err(Error::new(ErrorKind::Unavailable, "too many others change this user at the same time"))
}
