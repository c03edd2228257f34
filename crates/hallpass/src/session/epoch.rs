//! Sessions in tokens learn what has happened to their user meanwhile.

use std::sync::Arc;

use moka::ops::compute::Op;

use super::{MOST_ATTEMPTS, Source, first_claims};
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::hooks::{Marker, Payload};
use crate::store::{DynStore, Epoch, Revoke, patched};
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
        let asked = (self.config.store.as_deref(), &self.config.epochs, payload.text("sub"));
        let epoch = match asked {
            (Some(store), Some(cache), Some(id)) => match cache.get(id) {
                Some(known) => known,
                None => latest(self.config, store, id).await?,
            },
            _ => None,
        };
        self.catch_up_with(epoch.as_deref(), payload).await
    }

    /// As [`Self::catch_up`], with what the store says now and not what this process has heard a while ago.
    pub(super) async fn catch_up_now(&self, payload: Payload) -> Result<Option<Current>, Error> {
        let epoch = match (self.config.store.as_deref(), payload.text("sub")) {
            (Some(store), Some(id)) => latest(self.config, store, id).await?,
            _ => None,
        };
        self.catch_up_with(epoch.as_deref(), payload).await
    }

    async fn catch_up_with(&self, epoch: Option<&Epoch>, payload: Payload) -> Result<Option<Current>, Error> {
        let marker = payload.marker();
        if self.is_over(marker.began) {
            return Ok(None);
        }
        let (Some(epoch), Some(store), Some(id)) = (epoch, self.config.store.as_deref(), payload.text("sub"))
        else {
            return Ok(Some(Current { payload: self.with_beginning(payload, marker), is_new: false }));
        };
        if marker.is_revoked_in(epoch) {
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
        payload.mark(Marker { epoch: epoch.number, ..marker });
        Ok(Some(Current { payload, is_new: true }))
    }

    /// The token of another program, which notes when its session began: renewed, it would begin with each look.
    fn with_beginning(&self, mut payload: Payload, marker: Marker) -> Payload {
        let asks = self.config.store.is_some() && self.config.epochs.is_some();
        let matters = asks || self.config.session_absolute_max_age.is_some();
        if matters {
            payload.mark(marker);
        }
        payload
    }

    /// Ends all sessions of the user of a token but its own, which goes on after them. False when it has ended itself.
    pub(super) async fn end_others_of(
        &self,
        store: &dyn DynStore,
        token: &mut Payload,
    ) -> Result<bool, Error> {
        let id = token.text("sub").unwrap_or_default().to_owned();
        if !self.go_on_alone(store, &id, token).await? {
            return Ok(false);
        }
        let count = store.revoke_sessions(&id, Revoke::All).await?;
        // As in `reach_all`.
        Ok(count == 0 || self.go_on_alone(store, &id, token).await?)
    }

    /// Begins an epoch that ends all sessions in tokens but this one. False, and nothing has begun, when it has ended.
    async fn go_on_alone(&self, store: &dyn DynStore, id: &str, token: &mut Payload) -> Result<bool, Error> {
        let marker = token.marker();
        let revoke = |epoch: Epoch| (!marker.is_revoked_in(&epoch)).then(|| epoch.revoke(self.now));
        let Some(number) = begin_epoch_if(self.config, store, id, revoke).await? else { return Ok(false) };
        token.mark(Marker { began_in: Some(number), ..marker });
        Ok(true)
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

/// The epoch of a user that the store knows of, remembered for the next look.
async fn latest(config: &Config, store: &dyn DynStore, id: &str) -> Result<Option<Arc<Epoch>>, Error> {
    let epoch = Box::pin(store.epoch(id)).await?.map(Arc::new);
    remember(config, id, epoch.clone());
    Ok(epoch)
}

/// Remembers the epoch of a user for as long as `revocation_delay` allows; unless a later one has become known since it
/// was read.
fn remember(config: &Config, id: &str, epoch: Option<Arc<Epoch>>) {
    let Some(cache) = &config.epochs else { return };
    let number = |epoch: &Option<Arc<Epoch>>| epoch.as_ref().map_or(0, |epoch| epoch.number);
    cache.entry_by_ref(id).and_compute_with(|known| match known {
        Some(known) if number(known.value()) > number(&epoch) => Op::Nop,
        _ => Op::Put(epoch),
    });
}

/// Lets the next look at a session in a token ask the store, after it has begun an epoch by itself.
pub(crate) fn forget_epoch(config: &Config, id: &str) {
    if let Some(cache) = &config.epochs {
        cache.invalidate(id);
    }
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
    begin_epoch_if(config, store, id, |epoch| Some(change(epoch))).await?;
    Ok(())
}

/// As [`begin_epoch`], and returns the number of the epoch; `None`, where `change` says so of the one that is there.
async fn begin_epoch_if(
    config: &Config,
    store: &dyn DynStore,
    id: &str,
    change: impl Fn(Epoch) -> Option<Epoch> + Send + Sync,
) -> Result<Option<i64>, Error> {
    for _ in 0..MOST_ATTEMPTS {
        let current = store.epoch(id).await?.unwrap_or_default();
        let made_from = current.number;
        let Some(next) = change(current.clone().next()) else {
            remember(config, id, Some(Arc::new(current)));
            return Ok(None);
        };
        let number = next.number;
        if store.begin_epoch(id, next.clone(), made_from).await? {
            remember(config, id, Some(Arc::new(next)));
            return Ok(Some(number));
        }
    }
    Err(Error::new(ErrorKind::Unavailable, "too many others change this user at the same time"))
}

/// Does something to all sessions of a user: to those in tokens by an epoch, to those in the store by `rows`, which
/// returns how many it has met.
///
/// A session that is just going on from a token as a row is met by the first epoch or by `rows`; one that is going on
/// from a row as a token by `rows` or by the second epoch.
///
/// # Errors
/// [`ErrorKind::Unavailable`] when the store does not answer, and those of `rows`.
pub(crate) async fn reach_all(
    config: &Config,
    store: &dyn DynStore,
    id: &str,
    change: impl Fn(Epoch) -> Epoch + Send + Sync,
    rows: impl Future<Output = Result<u64, Error>> + Send,
) -> Result<u64, Error> {
    begin_epoch(config, store, id, &change).await?;
    let count = rows.await?;
    if count > 0 {
        begin_epoch(config, store, id, &change).await?;
    }
    Ok(count)
}
