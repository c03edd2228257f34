//! Sessions from before the application's claims had the type that they have now.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Payload;
use super::jwt::mismatch;
use crate::error::{BoxError, Error, ErrorKind};

/// The claims of a session no longer fit the application's type.
#[derive(Debug, thiserror::Error)]
#[error("the claims of this session no longer fit the application's type: {0}")]
pub(crate) struct StaleClaims(String);

impl StaleClaims {
    pub(super) fn new(error: &serde_json::Error) -> Self {
        Self(mismatch(error))
    }

    /// The mismatch in the chain of an error's causes.
    fn behind(error: &Error) -> Option<&str> {
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            if let Some(Self(mismatch)) = error.downcast_ref() {
                return Some(mismatch);
            }
            cause = error.source();
        }
        None
    }
}

/// Makes claims of what an earlier version of the application kept. It returns the application's type, boxed.
#[derive(Clone)]
pub(crate) struct Migrate(Arc<Erased>);

type Erased = dyn Fn(Map<String, Value>) -> Option<Box<dyn Any>> + Send + Sync;

impl Migrate {
    pub(crate) fn new<C: 'static>(
        migrate: impl Fn(Map<String, Value>) -> Option<C> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |claims| Some(Box::new(migrate(claims)?) as Box<dyn Any>)))
    }

    fn call<C: 'static>(&self, claims: Map<String, Value>) -> Option<C> {
        (self.0)(claims)?.downcast().ok().map(|claims| *claims)
    }
}

impl Payload {
    /// The application's claims, through its migration if they are not of this type.
    ///
    /// # Errors
    /// [`StaleClaims`] when there is no migration, or it gave up.
    pub(crate) fn parse_or_migrate_claims<C: DeserializeOwned + 'static>(
        &self,
        migrate: Option<&Migrate>,
    ) -> Result<C, BoxError> {
        match (self.parse_claims(), migrate) {
            (Err(stale), Some(migrate)) => migrate.call(self.claims()?).ok_or(stale),
            (parsed, _) => parsed,
        }
    }
}

/// The mismatches that were reported already: a change of type meets every session of every person, as does a view that
/// shows what it must not.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeenMismatches(Arc<Mutex<BTreeSet<String>>>);

impl SeenMismatches {
    /// Whether this error is about a mismatch like one before.
    pub(crate) fn is_repeated(&self, error: &Error) -> bool {
        let forbidden = (error.kind() == ErrorKind::ForbiddenView).then(|| error.to_string());
        let Some(mismatch) = forbidden.as_deref().or_else(|| StaleClaims::behind(error)) else {
            return false;
        };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(mismatch) {
            return true;
        }
        if seen.len() < MOST_MISMATCHES {
            seen.insert(mismatch.to_owned());
        }
        false
    }
}

/// How many are remembered. They follow from the application's type, so there are few.
const MOST_MISMATCHES: usize = 64;
