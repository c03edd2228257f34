//! The store of the server: a SQL database, perhaps with Redis in front of it.

use std::error::Error;
use std::time::Duration;

use hallpass::{
    Auth, Builder, MemoryStore, Secret, Store, StoreError, StoreErrorKind, Swept, User, UserChange,
    with_causes,
};
use hallpass_redis::RedisStore;
use hallpass_sqlx::{Migration, OpenError, SqlStore};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::Failure;
use crate::config::Config;

/// What is open. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    pub(crate) sql: SqlStore,
    redis: Option<RedisStore<SqlStore>>,
}

impl Storage {
    /// Opens what the settings name. The tables may be missing still.
    ///
    /// # Errors
    /// When it is out of reach, or does not fit the settings.
    pub(crate) async fn open(config: &Config) -> Result<Self, Failure> {
        let sql = Self::open_sql(config).await?;
        let Some(url) = &config.database.redis else { return Ok(Self { sql, redis: None }) };
        let redis = RedisStore::new(url.expose(), sql.clone()).map_err(|error| no_redis(&error))?;
        let redis = redis.timeout(config.database.timeout);
        redis.ping().await.map_err(|error| no_redis(&error))?;
        Ok(Self { sql, redis: Some(redis) })
    }

    /// The database alone.
    ///
    /// # Errors
    /// When it is out of reach, or does not fit the settings.
    pub(crate) async fn open_sql(config: &Config) -> Result<SqlStore, Failure> {
        let settings = &config.database;
        let opened = SqlStore::builder(settings.url.expose())
            .tables(settings.table_map())
            .pool_size(settings.pool_size)
            .timeout(settings.timeout)
            .secrets(config.all_secrets())
            .connect()
            .await;
        opened.map_err(|error| cannot_open(config, &error))
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) async fn ping_redis(url: &Secret, limit: Duration) -> Result<(), Failure> {
        let redis = RedisStore::new(url.expose(), MemoryStore::new()).map_err(|error| no_redis(&error))?;
        redis.timeout(limit).ping().await.map_err(|error| no_redis(&error))
    }

    /// Makes and changes tables where nobody minds: in development mode, in memory, and in a file of the server's own
    /// that is new.
    ///
    /// # Errors
    /// When tables are missing elsewhere, or cannot be made.
    pub(crate) async fn prepare(&self, config: &Config) -> Result<(), Failure> {
        let migrations = self.migrations().await?;
        let pending: Vec<_> = migrations.iter().filter(|it| !it.is_applied).map(|it| it.name).collect();
        if pending.is_empty() {
            return Ok(());
        }
        let settings = &config.database;
        let is_new = pending.len() == migrations.len();
        if config.dev || settings.is_in_memory() || (settings.is_own_file && is_new) {
            let made = self.sql.migrate().await;
            let made = made.map_err(|error| failed("the tables could not be made", &error))?;
            if !made.is_empty() {
                tracing::info!("tables made in the database ({}): {}", settings.place, made.join(", "));
            }
            return Ok(());
        }
        Err(Failure::Other(format!(
            "the database ({}) is not as this version needs it, {} missing: run `hallpass migrate`, which shows with \
             --dry-run what it would do; then start again",
            settings.place,
            match pending.as_slice() {
                [only] => format!("{only} is"),
                all => format!("{} are", all.join(", ")),
            }
        )))
    }

    /// The steps in the life of the tables.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn migrations(&self) -> Result<Vec<Migration>, Failure> {
        let found = self.sql.migrations().await;
        found.map_err(|error| failed("the tables of the database could not be looked at", &error))
    }

    /// Adds the store.
    pub(crate) fn add_to<S: Clone + Send + Sync + 'static>(&self, builder: Builder<S>) -> Builder<S> {
        match &self.redis {
            Some(redis) => builder.store(redis.clone()),
            None => builder.store(self.sql.clone()),
        }
    }

    /// Notes what the users file says of somebody now, if they have signed in before.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn follow(&self, user: &User) -> Result<(), StoreError> {
        let known = match self.sql.user_by_account("credentials", &user.id).await? {
            Some(known) => Some(known),
            None => self.sql.user(&user.id).await?,
        };
        let Some(known) = known else { return Ok(()) };
        let mut change = UserChange::new();
        change.name = (known.name != user.name).then(|| user.name.clone());
        change.image = (known.image != user.image).then(|| user.image.clone());
        if change != UserChange::new() {
            self.sql.update_user(&known.id, change).await?;
        }
        Ok(())
    }

    /// Gives a user another display name. Somebody who is not in the database has only a token.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn rename(&self, id: &str, name: &str) -> Result<(), StoreError> {
        match self.sql.update_user(id, UserChange::new().name(name.to_owned())).await {
            Err(error) if error.kind() != StoreErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether everything that keeps something answers in time.
    pub(crate) async fn answers(&self) -> bool {
        let redis = match &self.redis {
            Some(redis) => redis.ping().await.is_ok(),
            None => true,
        };
        // Nobody is called so; that it is known is an answer.
        redis && self.sql.user("readyz").await.is_ok()
    }

    /// Says goodbye to the database.
    pub(crate) async fn close(&self) {
        // One that hangs is not waited for.
        let _ = timeout(Duration::from_secs(1), self.sql.close()).await;
    }
}

/// Removes what has expired and what is kept no longer, now and then, a thousand rows at a time, until the server
/// stops.
pub(crate) async fn sweep<C: Send + 'static>(auth: Auth<C>) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first is at once, when others start too.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        match timeout(SWEEP_TIME, auth.sessions().sweep()).await {
            Ok(Ok(Swept { removed, forgotten, .. })) => {
                if removed > 0 {
                    tracing::info!("{removed} expired rows removed");
                }
                if forgotten > 0 {
                    tracing::info!("user agent and address of {forgotten} sessions removed");
                }
            }
            Ok(Err(error)) => tracing::warn!("what should go stays for now: {error}"),
            // What is left is there the next time.
            Err(_) => tracing::info!(
                "removing what has expired or is kept no longer takes long: the rest goes next time"
            ),
        }
    }
}

fn cannot_open(config: &Config, error: &OpenError) -> Failure {
    let settings = &config.database;
    let hint = match settings.is_own_file {
        true => "; name another with `url` in [database], or AUTH_DATABASE_URL",
        false => "",
    };
    Failure::Other(format!("{} ({}){hint}", with_causes(error), settings.place))
}

fn no_redis(error: &StoreError) -> Failure {
    failed("[redis] is out of reach", error)
}

pub(crate) fn failed(what: &str, error: &dyn Error) -> Failure {
    Failure::Other(format!("{what}: {}", with_causes(error)))
}

const SWEEP_EVERY: Duration = Duration::from_secs(10 * 60);

const SWEEP_TIME: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use hallpass::{
        Credentials, Environment, Field, MemoryStore, NoClaims, SessionToken, StoredSession, Timestamp,
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_has_expired_goes_by_itself_and_nothing_else() {
        let store = MemoryStore::new();
        let form = Credentials::new().field(Field::text("username"));
        let auth: Auth<NoClaims> = Auth::builder()
            .environment(Environment::empty())
            .secret("a secret of at least 32 characters")
            .credentials(form, async |_, ()| Ok(None))
            .store(store.clone())
            .session_client_retention(Duration::from_secs(60))
            .build()
            .unwrap();
        store.create_user(User::new("ada"), None).await.unwrap();
        let (old, live) = (SessionToken::new("old"), SessionToken::new("live"));
        for (token, end) in [(&old, 1), (&live, 99_999_999_999)] {
            let mut session = StoredSession::new(token, "ada", Timestamp::from_seconds(end));
            (session.created, session.address) =
                (Some(Timestamp::from_seconds(0)), Some("192.0.2.1".to_owned()));
            store.create_session(token, session).await.unwrap();
        }
        let sweeper = tokio::spawn(sweep(auth));
        tokio::time::sleep(SWEEP_EVERY - Duration::from_secs(1)).await;
        assert!(store.session(&old).await.unwrap().is_some());
        assert!(store.session(&live).await.unwrap().unwrap().0.address.is_some());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(store.session(&old).await.unwrap().is_none());
        assert_eq!(store.session(&live).await.unwrap().unwrap().0.address, None);
        sweeper.abort();
    }
}
