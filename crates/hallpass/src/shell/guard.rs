//! Nobody gets past who may not.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Refusal, session};
use crate::{Auth, Session};

type Rule<C> = Arc<dyn Fn(&Session<C>) -> bool + Send + Sync>;

/// Who may pass: whoever is signed in, or only those for whom a rule says so.
pub struct Guard<C> {
    auth: Auth<C>,
    rule: Option<Rule<C>>,
}

impl<C> Guard<C> {
    /// Lets everybody pass who is signed in.
    pub fn new(auth: Auth<C>) -> Self {
        Self { auth, rule: None }
    }

    /// Lets only those sessions pass for which `rule` says so.
    #[must_use]
    pub fn when(self, rule: impl Fn(&Session<C>) -> bool + Send + Sync + 'static) -> Self {
        Self { rule: Some(Arc::new(rule)), ..self }
    }
}

impl<C: Serialize + DeserializeOwned + Send + Sync + 'static> Guard<C> {
    /// Judges a request. `opened` finds the address that the browser asked for, where a router has shortened it.
    ///
    /// # Errors
    /// Why nobody gets past.
    pub async fn judge(&self, parts: &mut Parts, opened: impl FnOnce(&Parts) -> &Uri) -> Result<(), Refusal> {
        let session = session(&self.auth, parts).await?;
        let session = session.ok_or_else(|| Refusal::signed_out(&self.auth, parts, opened(parts)))?;
        match &self.rule {
            Some(rule) if !rule(&session) => Err(Refusal::Forbidden),
            _ => Ok(()),
        }
    }
}

impl<C> Clone for Guard<C> {
    fn clone(&self) -> Self {
        Self { auth: self.auth.clone(), rule: self.rule.clone() }
    }
}

impl<C> fmt::Debug for Guard<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("auth", &self.auth).finish_non_exhaustive()
    }
}
