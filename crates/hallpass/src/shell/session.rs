//! The session of one request, in the hands of a handler.

use std::ops::Deref;
use std::sync::Arc;

use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Refusal, Renewals};
use crate::{Auth, Core, Error, ErrorKind, Session, SessionHandle, SessionRead};

/// The session of one request, to read, change and end; what the extractor of a shell holds.
#[derive(Debug)]
pub struct HeldSession<C> {
    session: Arc<Session<C>>,
    handle: SessionHandle<C>,
    renewals: Renewals,
}

/// The session of a request: read once, and its cookies left for the layer.
///
/// # Errors
/// [`Refusal::Unavailable`] when that cannot be decided now.
pub async fn session<C>(auth: &Auth<C>, parts: &mut Parts) -> Result<Option<HeldSession<C>>, Refusal>
where
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    if let Some(known) =
        parts.extensions.get::<Known<C>>().filter(|known| Arc::ptr_eq(&known.core, auth.core()))
    {
        return Ok(known.session.clone());
    }
    let read = auth.read(parts).await.map_err(Refusal::Unavailable)?;
    let renewals = parts.extensions.get::<Renewals>().cloned().unwrap_or_default();
    renewals.add(read.set_cookies());
    let handle = read.handle().cloned();
    let session = read.session.zip(handle).map(|(session, handle)| HeldSession {
        session: Arc::new(session),
        handle,
        renewals,
    });
    parts.extensions.insert(Known { core: Arc::clone(auth.core()), session: session.clone() });
    Ok(session)
}

impl<C: Serialize + DeserializeOwned> HeldSession<C> {
    /// Changes what the session keeps. The new cookie is on this answer, if a layer or a guard of the shell is around
    /// the handler.
    ///
    /// # Errors
    /// See [`SessionHandle::update`].
    pub async fn update(&mut self, change: impl FnMut(&mut C) + Send) -> Result<(), Error> {
        let read = self.handle.update(change).await?;
        self.take(read)
    }

    /// Ends all other sessions of this user.
    ///
    /// # Errors
    /// See [`SessionHandle::sign_out_elsewhere`].
    pub async fn sign_out_elsewhere(&mut self) -> Result<(), Error> {
        let read = self.handle.sign_out_elsewhere().await?;
        self.take(read)
    }

    /// Ends this session.
    ///
    /// # Errors
    /// See [`SessionHandle::sign_out`].
    pub async fn sign_out(self) -> Result<(), Error> {
        self.renewals.replace(self.handle.sign_out().await?.set_cookies());
        Ok(())
    }

    fn take(&mut self, read: SessionRead<C>) -> Result<(), Error> {
        self.renewals.replace(read.set_cookies());
        if let Some(handle) = read.handle() {
            self.handle = handle.clone();
        }
        let session =
            read.session.ok_or_else(|| Error::new(ErrorKind::JwtSession, "the session has ended"))?;
        self.session = Arc::new(session);
        Ok(())
    }
}

impl<C> Deref for HeldSession<C> {
    type Target = Session<C>;

    fn deref(&self) -> &Self::Target {
        &self.session
    }
}

impl<C> Clone for HeldSession<C> {
    fn clone(&self) -> Self {
        Self {
            session: Arc::clone(&self.session),
            handle: self.handle.clone(),
            renewals: self.renewals.clone(),
        }
    }
}

/// What was read for this request already, and by whom: an application may have two [`Auth`]s whose claims are of
/// one type, and a session of one is none of the other.
struct Known<C> {
    core: Arc<Core>,
    session: Option<HeldSession<C>>,
}

impl<C> Clone for Known<C> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), session: self.session.clone() }
    }
}
