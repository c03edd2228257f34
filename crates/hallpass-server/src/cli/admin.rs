//! What can be said about what the database holds.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

/// Which database, and how to answer.
#[derive(Args, Clone, Debug)]
pub(crate) struct Where {
    #[arg(
        long,
        short,
        value_name = "FILE",
        global = true,
        help = "Settings [default: hallpass.toml, where there is one; also: HALLPASS_CONFIG]"
    )]
    pub(crate) config: Option<PathBuf>,
    /// The database of development mode
    #[arg(long, global = true)]
    pub(crate) dev: bool,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The tables.
#[derive(Args, Debug)]
pub(crate) struct Migrate {
    /// Print the SQL and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Say which steps the database has, and change nothing; exit code 1 when one is missing
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) status: bool,
    /// Encrypt tokens of providers with the newest secret, so that an older one may go; with --dry-run only count them
    #[arg(long, conflicts_with = "status")]
    pub(crate) reseal: bool,
    #[command(flatten)]
    pub(crate) place: Where,
}

/// Users.
#[derive(Args, Debug)]
pub(crate) struct Users {
    #[command(subcommand)]
    pub(crate) action: UsersAction,
    #[command(flatten)]
    pub(crate) place: Where,
}

/// What to do with users.
#[derive(Debug, Subcommand)]
pub(crate) enum UsersAction {
    /// List users in the order of their ids
    List {
        /// How many at most
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Only those after this id: the last one of the page before
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
    /// Show a user
    Show {
        /// Id or e-mail address
        user: String,
    },
    /// Add a user
    Create(NewUser),
    /// Change a user; sessions show it at once, those in cookies within seconds
    Update {
        /// Id or e-mail address
        user: String,
        #[command(flatten)]
        change: Change,
    },
    /// Remove a user with their accounts and sessions
    Delete {
        /// Id or e-mail address
        user: String,
    },
    /// List the accounts that a user signs in with
    Accounts {
        /// Id or e-mail address
        user: String,
    },
    /// Take an account from a user, unless it is their last way in
    Unlink {
        /// Id or e-mail address
        user: String,
        /// Id of the provider: github
        provider: String,
        /// Their id at the provider
        account: String,
    },
}

/// A user to add.
#[derive(Args, Debug)]
pub(crate) struct NewUser {
    /// Id [default: a random one]
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// E-mail address
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// The address is known to be theirs
    #[arg(long, requires = "email")]
    pub(crate) verified: bool,
    /// Display name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Address of a picture
    #[arg(long)]
    pub(crate) image: Option<String>,
}

/// What changes of a user.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct Change {
    /// New e-mail address, which is then unproven; an empty text removes it
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// Whether the address is known to be theirs
    #[arg(long, value_name = "true|false")]
    pub(crate) verified: Option<bool>,
    /// New display name; an empty text removes it
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// New address of a picture; an empty text removes it
    #[arg(long)]
    pub(crate) image: Option<String>,
}

/// Sessions.
#[derive(Args, Debug)]
pub(crate) struct Sessions {
    #[command(subcommand)]
    pub(crate) action: SessionsAction,
    #[command(flatten)]
    pub(crate) place: Where,
}

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionsAction {
    /// List the sessions of a user, the newest first; those in cookies are on no list
    List {
        /// Id or e-mail address
        user: String,
    },
    /// Show a session
    Show {
        /// Id or e-mail address
        user: String,
        /// Id of the session, from the list
        session: String,
    },
    /// Change what all sessions of a user keep; those in cookies within seconds
    Update {
        /// Id or e-mail address
        user: String,
        /// A JSON object: each member takes the place of the claim of its name, null removes it
        #[arg(value_parser = patch)]
        patch: Map<String, Value>,
    },
    /// End one session
    Revoke {
        /// Id or e-mail address
        user: String,
        /// Id of the session, from the list
        session: String,
    },
    /// End all sessions of a user, on all their devices; those in cookies within seconds
    RevokeAll {
        /// Id or e-mail address
        user: String,
        /// The one that goes on: its id, from the list
        #[arg(long, value_name = "SESSION")]
        except: Option<String>,
    },
    /// Remove what has expired, and user agents and addresses that are kept no longer; a server does so every ten
    /// minutes
    Sweep,
}

fn patch(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(patch)) => Ok(patch),
        Ok(_) => Err("a JSON object is wanted, such as {\"role\":\"editor\"}".to_owned()),
        Err(error) => Err(format!("that is no JSON: {error}")),
    }
}

pub(super) const MIGRATE_HELP: &str = "\
Examples:
  hallpass migrate --dry-run               what it would do
  hallpass migrate
  hallpass migrate --reseal                after a new secret

A server refuses to start while a step is missing. Only development mode, a database in memory, and
a new file of the server's own get their tables by themselves.";

pub(super) const USERS_HELP: &str = "\
Examples:
  hallpass users list
  hallpass users show ada@example.com --json
  hallpass users create --email ada@example.com --name \"Ada Lovelace\"
  hallpass users update ada@example.com --verified true
  hallpass users unlink ada@example.com github 583231

Nothing that is printed is secret: no token, no password, no further field's value. Exit code 1
means that it was not done.";

pub(super) const SESSIONS_HELP: &str = "\
Examples:
  hallpass sessions list ada@example.com
  hallpass sessions update ada@example.com '{\"role\":\"editor\"}'
  hallpass sessions revoke ada@example.com 1c6ed0b9e5f04a0e9c6a2d3f4b5a6978
  hallpass sessions revoke-all ada@example.com

Exit code 1 means that it was not done.";
