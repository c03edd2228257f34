//! Which tables and columns hold what.

use crate::dialect::Dialect;

/// Which tables and columns hold what: those of Hallpass, or those that an adapter of Auth.js has made.
///
/// What all maps of Auth.js' tables have in common:
///
/// - The session token stands in its column as it is: the adapter must find it there.
/// - [`SqlStore::migrate`](crate::SqlStore::migrate) adds two columns to the table of sessions. `hallpass` is a JSON
///   text with what Hallpass knows of a session and Auth.js does not (claims, when it began, …); `hallpass_client` says
///   when the session began, as long as that text has its user agent or address, in milliseconds. Both may be `NULL`
///   and the adapters name the columns that they write, so they neither fill them nor stumble over them; on the
///   session object that they return to their application they show as further fields where they select all columns.
/// - In sessions from before there was `hallpass_client` it is filled wherever they say when they began. So the first
///   [sweep](hallpass::Store::forget_clients) that reaches them also rewrites and counts those that have neither user
///   agent nor address.
/// - It adds two tables: `hallpass_epochs`, for what the adapters know nothing of (revoked sessions in tokens), and
///   `hallpass_migrations`, the steps that the database has.
/// - It adds the unique indexes that the contract of [`Store`](hallpass::Store) needs where the adapter's tables
///   have none. That fails, and changes nothing, when the tables hold duplicates already.
/// - Further columns of the table of users are read into [`User::extra`](hallpass::User::extra) and can be changed;
///   a field without a column is dropped when a user is made, and refused when a user is changed.
/// - Tokens of providers stand in their columns as they are.
/// - Nothing says whether a provider has vouched for an address, so
///   [`Account::email_verified`](hallpass::Account::email_verified) is false: the first proof of an address that
///   nobody has proven takes all accounts of that user with it.
///
/// They work on PostgreSQL and SQLite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableMap {
    pub(crate) name: &'static str,
    pub(crate) names: &'static [(&'static str, &'static str)],
    pub(crate) ids: Ids,
    pub(crate) times: Times,
    pub(crate) is_own: bool,
    pub(crate) has_foreign_keys: bool,
}

/// What kind of column the ids of users are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ids {
    /// Texts. Hallpass makes the id.
    Text,
    /// `uuid` of PostgreSQL. Hallpass makes the id.
    Uuid,
    /// Whole numbers. The database makes the id.
    Integer,
}

/// What kind of column times are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Times {
    /// Whole numbers: milliseconds since 1970.
    Millis,
    /// `timestamp` of PostgreSQL without a zone, in UTC; milliseconds or ISO 8601 on SQLite.
    Timestamp,
    /// `timestamptz` of PostgreSQL; as [`Timestamp`](Self::Timestamp) on SQLite.
    Timestamptz,
}

impl TableMap {
    /// The tables of Hallpass, whose names start with `hallpass_`: session tokens are hashed, tokens of providers
    /// encrypted. The default.
    pub fn own() -> Self {
        Self {
            name: "own",
            names: OWN,
            ids: Ids::Text,
            times: Times::Millis,
            is_own: true,
            has_foreign_keys: true,
        }
    }

    /// The tables of `@auth/pg-adapter`: `users`, `accounts`, `sessions`, `verification_token`, whose ids are numbers
    /// that the database makes.
    pub fn authjs() -> Self {
        Self {
            name: "authjs",
            names: AUTHJS,
            ids: Ids::Integer,
            times: Times::Timestamptz,
            is_own: false,
            has_foreign_keys: false,
        }
    }

    /// The tables of `@auth/prisma-adapter`: `User`, `Account`, `Session`, `VerificationToken`.
    pub fn prisma() -> Self {
        Self {
            name: "prisma",
            names: PRISMA,
            ids: Ids::Text,
            times: Times::Timestamp,
            is_own: false,
            has_foreign_keys: true,
        }
    }

    /// The tables of `@auth/drizzle-adapter`: `user`, `account`, `session`, `verificationToken`.
    pub fn drizzle() -> Self {
        Self { name: "drizzle", names: DRIZZLE, ..Self::prisma() }
    }

    /// What kind of column the ids of users are, where that differs from what the adapter's manual shows.
    #[must_use]
    pub fn ids(self, ids: Ids) -> Self {
        Self { ids, ..self }
    }

    /// What kind of column times are, where that differs from what the adapter's manual shows.
    #[must_use]
    pub fn times(self, times: Times) -> Self {
        Self { times, ..self }
    }

    /// The name of a table or a column.
    pub(crate) fn name_of(&self, word: &str) -> &'static str {
        self.names.iter().find(|(key, _)| *key == word).map_or("", |(_, name)| *name)
    }

    /// The columns of a table that the map knows.
    pub(crate) fn columns(&self, table: &str) -> impl Iterator<Item = &'static str> {
        let names = self
            .names
            .iter()
            .filter(move |(key, _)| key.strip_prefix(table).is_some_and(|column| column.starts_with('.')));
        names.map(|(_, name)| *name)
    }

    /// Whether the map fits the database.
    pub(crate) fn fits(&self, dialect: Dialect) -> bool {
        self.is_own || dialect == Dialect::Postgres || (dialect == Dialect::Sqlite && self.ids != Ids::Uuid)
    }
}

impl Default for TableMap {
    fn default() -> Self {
        Self::own()
    }
}

const OWN: &[(&str, &str)] = &[
    ("users", "hallpass_users"),
    ("users.id", "id"),
    ("users.name", "name"),
    ("users.email", "email"),
    ("users.email_verified", "email_verified"),
    ("users.image", "image"),
    ("users.extra", "extra"),
    ("accounts", "hallpass_accounts"),
    ("accounts.user_id", "user_id"),
    ("accounts.type", "type"),
    ("accounts.provider", "provider"),
    ("accounts.provider_account_id", "provider_account_id"),
    ("accounts.email_verified", "email_verified"),
    ("accounts.tokens", "tokens"),
    ("sessions", "hallpass_sessions"),
    ("sessions.token", "token_hash"),
    ("sessions.user_id", "user_id"),
    ("sessions.expires", "expires"),
    ("sessions.created", "created"),
    ("sessions.last_seen", "last_seen"),
    ("sessions.user_agent", "user_agent"),
    ("sessions.address", "address"),
    ("sessions.claims", "claims"),
    ("sessions.version", "version"),
    // On MySQL and MariaDB; the others have indexes of some rows.
    ("sessions.client", "client"),
    ("tokens", "hallpass_tokens"),
    ("tokens.identifier", "identifier"),
    ("tokens.hash", "hash"),
    ("tokens.expires", "expires"),
];

/// The maps of Auth.js' tables differ in the names of the tables.
macro_rules! authjs {
    ($users:literal, $accounts:literal, $sessions:literal, $tokens:literal) => {
        &[
            ("users", $users),
            ("users.id", "id"),
            ("users.name", "name"),
            ("users.email", "email"),
            ("users.email_verified", "emailVerified"),
            ("users.image", "image"),
            ("accounts", $accounts),
            ("accounts.user_id", "userId"),
            ("accounts.type", "type"),
            ("accounts.provider", "provider"),
            ("accounts.provider_account_id", "providerAccountId"),
            ("accounts.refresh_token", "refresh_token"),
            ("accounts.access_token", "access_token"),
            ("accounts.expires_at", "expires_at"),
            ("accounts.token_type", "token_type"),
            ("accounts.scope", "scope"),
            ("accounts.id_token", "id_token"),
            ("accounts.session_state", "session_state"),
            ("sessions", $sessions),
            ("sessions.token", "sessionToken"),
            ("sessions.user_id", "userId"),
            ("sessions.expires", "expires"),
            ("sessions.more", "hallpass"),
            ("sessions.client", "hallpass_client"),
            ("tokens", $tokens),
            ("tokens.identifier", "identifier"),
            ("tokens.hash", "token"),
            ("tokens.expires", "expires"),
        ]
    };
}

const AUTHJS: &[(&str, &str)] = authjs!("users", "accounts", "sessions", "verification_token");

const PRISMA: &[(&str, &str)] = authjs!("User", "Account", "Session", "VerificationToken");

const DRIZZLE: &[(&str, &str)] = authjs!("user", "account", "session", "verificationToken");
