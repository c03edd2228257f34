//! Users and sessions for the application: find, list, change, end.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::config::{Config, ProviderEntry};
use crate::email;
use crate::error::{Error, ErrorKind};
use crate::hooks::is_reserved;
use crate::session::{MOST_ATTEMPTS, begin_epoch, reach_all};
use crate::store::{
    DynStore, Revoke, SessionChange, StoreError, StoredSession, UserChange, UserPage, patched,
};
use crate::{Account, User};

/// The users in the store: [`Auth::users`](crate::Auth::users).
///
/// Every method fails with [`ErrorKind::MissingStore`] without a store, and with [`ErrorKind::Unavailable`] when it
/// does not answer.
///
/// ```
/// use hallpass::{Auth, MemoryStore, User, UserChange, UserPage};
/// # use hallpass::{Credentials, Environment, Field};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let form = Credentials::new().field(Field::text("username"));
/// let auth = Auth::builder()
///     # .environment(Environment::empty())
///     # .credentials(form, async |_, _| Ok(None))
///     .secret("a text of at least 32 characters, at random")
///     .store(MemoryStore::new())
///     .build()?;
/// let ada = auth.users().create(User::new("1").with_name("Ada").with_email("ada@example.com")).await?;
/// auth.users().update(&ada.id, UserChange::new().name("Ada Lovelace".to_owned()).set("role", "admin")).await?;
/// assert_eq!(auth.users().list(UserPage::first(10)).await?[0].name.as_deref(), Some("Ada Lovelace"));
/// assert_eq!(auth.sessions().revoke_all(&ada.id).await?, 0);
/// assert!(auth.users().delete(&ada.id).await?);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Users<'a>(pub(super) Option<&'a Config>);

impl Users<'_> {
    /// The user with this id.
    ///
    /// # Errors
    /// Only those of every method.
    pub async fn find(&self, id: &str) -> Result<Option<User>, Error> {
        Ok(store(self.0)?.user(id).await?)
    }

    /// The user with this address, however it is spelled.
    ///
    /// # Errors
    /// Only those of every method.
    pub async fn find_by_email(&self, address: &str) -> Result<Option<User>, Error> {
        let Some(address) = email::normalize(address) else { return Ok(None) };
        Ok(email::find_user(store(self.0)?, &address).await?)
    }

    /// A page of all users, in the order of their ids.
    ///
    /// # Errors
    /// Only those of every method.
    pub async fn list(&self, page: UserPage) -> Result<Vec<User>, Error> {
        Ok(store(self.0)?.users(page).await?)
    }

    /// Adds a user. Without an id they get a random one.
    ///
    /// # Errors
    /// [`ErrorKind::Store`] when the id or the address is taken, or the address is none.
    pub async fn create(&self, user: User) -> Result<User, Error> {
        let store = store(self.0)?;
        let email = user.email.as_deref().map(address).transpose()?;
        require_free(store, email.as_deref(), None).await?;
        let id = match (user.id.is_empty(), self.0) {
            (true, Some(config)) => {
                let mut random = [0; 16];
                config.random.fill(&mut random)?;
                crate::session::uuid(random)
            }
            _ => user.id,
        };
        Ok(store.create_user(User { id, email, ..user }, None).await?)
    }

    /// Changes a user. Their sessions show it at the next read: those in the store at once, those in tokens within
    /// [`revocation_delay`](crate::Builder::revocation_delay).
    ///
    /// # Errors
    /// [`ErrorKind::Store`] when there is no such user, or the new address is somebody else's or none.
    pub async fn update(&self, id: &str, change: UserChange) -> Result<User, Error> {
        let email = match change.email {
            Some(Some(email)) => Some(Some(address(&email)?)),
            other => other,
        };
        let (config, store) = both(self.0)?;
        require_free(store, email.as_ref().and_then(|email| email.as_deref()), Some(id)).await?;
        let user = store.update_user(id, UserChange { email, ..change }).await?;
        begin_epoch(config, store, id, |epoch| epoch).await?;
        Ok(user)
    }

    /// Removes a user with their accounts, sessions and open magic links. Returns whether there was one. Sessions in
    /// tokens end within [`revocation_delay`](crate::Builder::revocation_delay).
    ///
    /// # Errors
    /// Only those of every method.
    pub async fn delete(&self, id: &str) -> Result<bool, Error> {
        let (config, store) = both(self.0)?;
        let now = config.clock.now();
        let rows = async { Ok(u64::from(store.delete_user(id).await?)) };
        Ok(reach_all(config, store, id, |epoch| epoch.revoke(now), rows).await? > 0)
    }

    /// The accounts of a user.
    ///
    /// # Errors
    /// Only those of every method.
    pub async fn accounts(&self, id: &str) -> Result<Vec<Account>, Error> {
        Ok(store(self.0)?.accounts(id).await?)
    }

    /// Takes an account from a user. Returns whether they had it.
    ///
    /// # Errors
    /// [`ErrorKind::Store`] when it is their last way in: the only account, and no magic link to a proven address.
    pub async fn unlink(&self, id: &str, provider: &str, provider_account_id: &str) -> Result<bool, Error> {
        let store = store(self.0)?;
        let has_links = self.0.is_some_and(|config| {
            config.providers.iter().any(|provider| matches!(provider, ProviderEntry::Email(..)))
        });
        let user = store.user(id).await?;
        let is_proven = user.is_some_and(|user| user.email.is_some() && user.email_verified.is_some());
        Ok(store.unlink_account(id, provider, provider_account_id, !(has_links && is_proven)).await?)
    }
}

/// The sessions in the store: [`Auth::sessions`](crate::Auth::sessions).
///
/// Every method fails with [`ErrorKind::MissingStore`] without a store, and with [`ErrorKind::Unavailable`] when it
/// does not answer.
#[derive(Clone, Copy, Debug)]
pub struct Sessions<'a>(pub(super) Option<&'a Config>);

impl Sessions<'_> {
    /// The sessions of a user that have not expired, the newest first; with user agent and address as long as
    /// [they are kept](crate::Builder::session_client_retention).
    ///
    /// # Errors
    /// Only those of every method.
    pub async fn list(&self, user_id: &str) -> Result<Vec<StoredSession>, Error> {
        let (config, store) = both(self.0)?;
        let now = config.clock.now();
        let sessions = store.sessions(user_id).await?.into_iter().filter(|session| session.expires > now);
        Ok(sessions.map(|session| config.retained(session, now)).collect())
    }

    /// The session of a user with this id, unless it has expired; user agent and address as in [`list`](Self::list).
    ///
    /// # Errors
    /// Only those of every method.
    pub async fn find(&self, user_id: &str, session_id: &str) -> Result<Option<StoredSession>, Error> {
        Ok(self.list(user_id).await?.into_iter().find(|session| session.id == session_id))
    }

    /// Ends one session of a user. Returns whether there was one with this id.
    ///
    /// # Errors
    /// Only those of every method.
    pub async fn revoke(&self, user_id: &str, session_id: &str) -> Result<bool, Error> {
        Ok(store(self.0)?.revoke_sessions(user_id, Revoke::One(session_id)).await? > 0)
    }

    /// Ends all sessions of a user, and returns how many there were in the store. Those in tokens end too, within
    /// [`revocation_delay`](crate::Builder::revocation_delay).
    ///
    /// # Errors
    /// Only those of every method.
    pub async fn revoke_all(&self, user_id: &str) -> Result<u64, Error> {
        let (config, store) = both(self.0)?;
        let now = config.clock.now();
        let rows = async { Ok(store.revoke_sessions(user_id, Revoke::All).await?) };
        reach_all(config, store, user_id, |epoch| epoch.revoke(now), rows).await
    }

    /// Changes the claims of all sessions of a user, somebody else's too: each member of `patch` takes the place of
    /// the claim of its name, `null` removes it. Sessions in the store have it at once, those in tokens within
    /// [`revocation_delay`](crate::Builder::revocation_delay): at the next read, before the `jwt` callback runs.
    ///
    /// A patch and no closure, since the claims of a token are in somebody's browser. It must leave claims that fit the
    /// application's type: those that do not fit end the session.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidUpdate`] when `patch` is no struct or map, or has a claim that is Hallpass' own (`sub`,
    /// `name`, `email`, `picture`, `iat`, `exp`, `nbf`, `jti`): those are of the user.
    pub async fn update(&self, user_id: &str, patch: impl Serialize) -> Result<(), Error> {
        let (config, store) = both(self.0)?;
        let Ok(Value::Object(patch)) = serde_json::to_value(patch) else {
            return Err(Error::new(ErrorKind::InvalidUpdate, "a patch of claims is a struct or a map"));
        };
        if let Some(claim) = patch.keys().find(|claim| is_reserved(claim)) {
            let told = format!("the claim {claim:?} is Hallpass' own: change the user");
            return Err(Error::new(ErrorKind::InvalidUpdate, told));
        }
        let rows = async {
            let mut count = 0;
            for session in store.sessions(user_id).await? {
                patch_row(store, user_id, session, &patch).await?;
                count += 1;
            }
            Ok(count)
        };
        reach_all(config, store, user_id, |epoch| epoch.patch(patch.clone()), rows).await?;
        Ok(())
    }

    /// Ends all sessions of a user but one that is in the store ("sign out everywhere else"), and returns how many
    /// there were in the store. Those in tokens end too, all of them, within
    /// [`revocation_delay`](crate::Builder::revocation_delay).
    ///
    /// # Errors
    /// Only those of every method.
    pub async fn revoke_others(&self, user_id: &str, session_id: &str) -> Result<u64, Error> {
        let (config, store) = both(self.0)?;
        let now = config.clock.now();
        let rows = async { Ok(store.revoke_sessions(user_id, Revoke::Others(session_id)).await?) };
        reach_all(config, store, user_id, |epoch| epoch.revoke(now), rows).await
    }

    /// Removes what has expired, and user agent and address of sessions that began longer ago than
    /// [they are kept](crate::Builder::session_client_retention), a thousand rows at a time. Call it now and then:
    /// nothing goes by itself.
    ///
    /// # Errors
    /// Only those of every method.
    pub async fn sweep(&self) -> Result<Swept, Error> {
        let (config, store) = both(self.0)?;
        let now = config.clock.now();
        let removed = in_batches(|| store.sweep(now, BATCH)).await?;
        let forgotten = match config.session_client_retention {
            Some(age) => in_batches(|| store.forget_clients(now - age, BATCH)).await?,
            None => 0,
        };
        Ok(Swept { removed, forgotten })
    }
}

/// What a [sweep](Sessions::sweep) did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Swept {
    /// How many rows had expired, and went: sessions and one-time tokens.
    pub removed: u64,
    /// How many sessions lost user agent and address, and go on.
    pub forgotten: u64,
}

/// Does a batch after the other, until one is not full. Returns how many rows there were.
async fn in_batches<F: Future<Output = Result<u64, StoreError>>>(
    batch: impl Fn() -> F,
) -> Result<u64, Error> {
    let mut count = 0;
    loop {
        let rows = batch().await?;
        count += rows;
        if rows < u64::from(BATCH) {
            return Ok(count);
        }
    }
}

fn store(config: Option<&Config>) -> Result<&dyn DynStore, Error> {
    config.and_then(|config| config.store.as_deref()).ok_or_else(no_store)
}

fn both(config: Option<&Config>) -> Result<(&Config, &dyn DynStore), Error> {
    Ok((config.ok_or_else(no_store)?, store(config)?))
}

/// Patches one session, over whatever others make of it at the same time.
async fn patch_row(
    store: &dyn DynStore,
    user_id: &str,
    session: StoredSession,
    patch: &Map<String, Value>,
) -> Result<(), Error> {
    let id = session.id.clone();
    let mut current = Some(session);
    for _ in 0..MOST_ATTEMPTS {
        let Some(session) = current else { return Ok(()) };
        let change = SessionChange::new().claims(patched(session.claims, patch), session.version);
        if store.update_session_by_id(user_id, &id, change).await? {
            return Ok(());
        }
        current = store.sessions(user_id).await?.into_iter().find(|session| session.id == id);
    }
    Err(Error::new(ErrorKind::Unavailable, "too many others change this session at the same time"))
}

fn no_store() -> Error {
    Error::new(ErrorKind::MissingStore, "there is no store: call `store` on the builder")
}

/// Refuses an address that another user has, in another spelling of its domain too: the store compares texts. Of two
/// who come at once with the two spellings both pass.
async fn require_free(store: &dyn DynStore, address: Option<&str>, id: Option<&str>) -> Result<(), Error> {
    let Some(address) = address else { return Ok(()) };
    match email::find_user(store, address).await? {
        Some(owner) if Some(owner.id.as_str()) != id => {
            Err(Error::new(ErrorKind::Store, "there is a user with this address"))
        }
        _ => Ok(()),
    }
}

fn address(typed: &str) -> Result<String, Error> {
    email::normalize(typed).ok_or_else(|| Error::new(ErrorKind::Store, "not an e-mail address"))
}

/// In rows.
const BATCH: u32 = 1000;
