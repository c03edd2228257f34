//! What every shell does in the same way: for whoever brings Hallpass to another web framework.
//!
//! An application has no need of it; it uses a shell such as `hallpass-axum`. A shell turns its framework's request
//! into a [`Request`](http::Request), asks [`Core::handle`] at Hallpass' own addresses, and elsewhere
//! [`session`] or a [`Guard`]; a layer around the handlers puts [`Renewals`] into the request's extensions first and
//! delivers them at last.

mod guard;
mod refusal;
mod renewals;

use std::sync::Arc;

use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use guard::Guard;
pub use refusal::{Refusal, body_too_large};
pub use renewals::Renewals;

use crate::{Auth, Core, Session};

/// The session of a request: read once, and its cookies left for the layer.
///
/// # Errors
/// [`Refusal::Unavailable`] when that cannot be decided now.
pub async fn session<C>(auth: &Auth<C>, parts: &mut Parts) -> Result<Option<Arc<Session<C>>>, Refusal>
where
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    if let Some(known) =
        parts.extensions.get::<Known<C>>().filter(|known| Arc::ptr_eq(&known.core, auth.core()))
    {
        return Ok(known.session.clone());
    }
    let read = auth.read(parts).await.map_err(Refusal::Unavailable)?;
    if let Some(renewals) = parts.extensions.get::<Renewals>() {
        renewals.add(read.set_cookies());
    }
    let session = read.session.map(Arc::new);
    parts.extensions.insert(Known { core: Arc::clone(auth.core()), session: session.clone() });
    Ok(session)
}

/// What was read for this request already, and by whom: an application may have two [`Auth`]s whose claims are of
/// one type, and a session of one is none of the other.
struct Known<C> {
    core: Arc<Core>,
    session: Option<Arc<Session<C>>>,
}

impl<C> Clone for Known<C> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), session: self.session.clone() }
    }
}
