//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod admin;
mod setup;

pub(crate) use admin::{Change, Migrate, NewUser, Sessions, SessionsAction, Users, UsersAction, Where};
use admin::{MIGRATE_HELP, SESSIONS_HELP, USERS_HELP};
use setup::{CHECK_HELP, DOCTOR_HELP, INIT_HELP, SCHEMA_HELP, TYPES_HELP};
pub(crate) use setup::{Check, Doctor, Framework, Init, Types};

/// Sign-in for your application: providers, passwords, and sessions that Auth.js clients understand.
#[derive(Debug, Parser)]
#[command(name = "hallpass", version, max_term_width = 100, after_help = EXAMPLES)]
// Options in front of a command would be lost.
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server: what `hallpass` alone does too
    #[command(after_help = SERVE_HELP)]
    Serve(Serve),
    /// Run it in development mode, for this machine only: what `hallpass` alone does where there are no settings
    #[command(after_help = SERVE_HELP, mut_arg("dev", |arg| arg.hide(true)))]
    Dev(Serve),
    /// Ask the server on this machine whether it can answer requests: exit code 0 when it can
    Health(Health),
    /// Print a new secret, which seals sessions
    Secret,
    /// Ask for a password and print an entry for the users file
    #[command(after_help = USER_HELP)]
    User(User),
    /// Make and change the tables of the database
    #[command(after_help = MIGRATE_HELP)]
    Migrate(Migrate),
    /// List, change and remove the users in the database
    #[command(after_help = USERS_HELP)]
    Users(Users),
    /// List, change and end the sessions in the database
    #[command(after_help = SESSIONS_HELP)]
    Sessions(Sessions),
    /// Ask a few questions and write hallpass.toml
    #[command(after_help = INIT_HELP)]
    Init(Init),
    /// Read all settings and say what they mean, or everything that is wrong with them
    #[command(after_help = CHECK_HELP)]
    Check(Check),
    /// Try everything that the settings name, and say what is wrong and how to mend it
    #[command(after_help = DOCTOR_HELP)]
    Doctor(Doctor),
    /// Print the JSON Schema of hallpass.toml, for editors
    #[command(after_help = SCHEMA_HELP)]
    Schema,
    /// Write TypeScript declarations of the session, from a sample or a JSON Schema
    #[command(after_help = TYPES_HELP)]
    Types(Types),
}

/// Which server.
#[derive(Args, Clone, Debug)]
pub(crate) struct Health {
    #[arg(
        long,
        short,
        value_name = "FILE",
        help = "Its settings [default: hallpass.toml, where there is one; also: HALLPASS_CONFIG]"
    )]
    pub(crate) config: Option<PathBuf>,
    #[arg(
        long,
        short,
        value_name = "ADDRESS",
        help = "Where it listens [default: as in the settings; also: HALLPASS_LISTEN]"
    )]
    pub(crate) listen: Option<String>,
}

/// How to run the server.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Serve {
    #[arg(
        long,
        short,
        value_name = "FILE",
        help = "Settings [default: hallpass.toml, where there is one; also: HALLPASS_CONFIG]"
    )]
    pub(crate) config: Option<PathBuf>,
    #[arg(
        long,
        short,
        value_name = "ADDRESS",
        help = "Address and port to listen on [default: 127.0.0.1:3000; also: HALLPASS_LISTEN]"
    )]
    pub(crate) listen: Option<String>,
    #[arg(
        long,
        value_name = "FILE",
        help = "Callbacks in JavaScript or TypeScript [default: hallpass.config.ts, .mjs or .js, where there is one]"
    )]
    pub(crate) callbacks: Option<PathBuf>,
    /// Development mode, as `hallpass dev`: demo users, stand-ins for providers, a page that shows what happens
    #[arg(long)]
    pub(crate) dev: bool,
}

/// Somebody for the users file.
#[derive(Args, Debug)]
pub(crate) struct User {
    /// What they type to sign in
    #[arg(value_name = "USERNAME")]
    pub(crate) username: String,
    /// Display name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// E-mail address
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// What they may do, in the words of your application
    #[arg(long)]
    pub(crate) role: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  hallpass                                 development mode, unless there is a hallpass.toml
  hallpass dev                             development mode, with hallpass.toml if there is one
  hallpass serve --config hallpass.toml    a server
  hallpass init                            asks a few questions and writes hallpass.toml
  hallpass check                           what the settings mean, or what is wrong with them
  hallpass doctor                          whether everything works, and what mends it
  hallpass secret                          a secret for AUTH_SECRET
  hallpass user ada --role admin >> users.toml
  hallpass migrate                         the tables of a database of your own
  hallpass sessions revoke-all ada@example.com

Every setting of hallpass.toml is described in docs/server.md.";

const SERVE_HELP: &str = "\
Settings come from the command line, else from the environment, else from the file.
Without a file and without AUTH_SECRET it is development mode, for this machine only.

Environment:
  AUTH_SECRET                    seals sessions; AUTH_SECRET_1 to _3 are newer ones
  AUTH_URL                       public address, such as https://auth.example.com
  NEXTAUTH_SECRET, NEXTAUTH_URL  where those are not set
  AUTH_TRUST_HOST                believe the host that a proxy names
  AUTH_DATABASE_URL              users and sessions: sqlite:, postgres:// or mysql://; also DATABASE_URL
  AUTH_REDIS_URL                 sessions in Redis, in front of the database
  AUTH_<PROVIDER>_ID, _SECRET    a provider: AUTH_GITHUB_ID, AUTH_GITHUB_SECRET
  AUTH_<PROVIDER>_ISSUER         its issuer, where every customer has an own one
  EMAIL_SERVER, EMAIL_FROM       magic links: the mail server, and who the mails are from
  HALLPASS_CONFIG, HALLPASS_LISTEN
  HALLPASS_TRUSTED_PROXIES       addresses and networks of the proxies in front, with commas
  HALLPASS_LOG                   what to log: info, debug, hallpass=debug,warn, …
  HALLPASS_LOG_FORMAT            how lines look: text or json

With _FILE behind its name, a variable for something secret names a file: AUTH_SECRET_FILE.";

const USER_HELP: &str = "\
Examples:
  hallpass user ada --name \"Ada Lovelace\" --email ada@example.com --role admin >> users.toml
  printf %s \"$PASSWORD\" | hallpass user ada

The password is asked for twice, or read from the first line of a pipe. It is kept as an
Argon2id hash. Name the file in hallpass.toml: users_file = \"users.toml\"";
