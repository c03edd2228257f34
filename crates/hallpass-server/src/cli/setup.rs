//! What can be said about a configuration, before a server runs with it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Serve;

/// Which settings.
#[derive(Args, Clone, Debug)]
pub(crate) struct Check {
    #[arg(
        long,
        short,
        value_name = "FILE",
        help = "Settings [default: hallpass.toml, where there is one; also: HALLPASS_CONFIG]"
    )]
    pub(crate) config: Option<PathBuf>,
    #[arg(
        long,
        value_name = "FILE",
        help = "Callbacks in JavaScript or TypeScript [default: hallpass.config.ts, .mjs or .js, where there is one]"
    )]
    pub(crate) callbacks: Option<PathBuf>,
    /// As development mode reads them
    #[arg(long)]
    pub(crate) dev: bool,
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Check {
    /// The same for a server.
    pub(crate) fn flags(&self) -> Serve {
        Serve { config: self.config.clone(), callbacks: self.callbacks.clone(), dev: self.dev, listen: None }
    }
}

/// What a session looks like.
#[derive(Args, Clone, Debug)]
pub(crate) struct Types {
    /// A session as JSON: an answer of /api/auth/session. Several are merged
    #[arg(long, value_name = "FILE", required_unless_present = "schema", conflicts_with = "schema")]
    pub(crate) sample: Vec<PathBuf>,
    /// A JSON Schema of the session
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    /// What the session keeps, as `getToken()` gives it: a JSON Schema, or samples
    #[arg(long, value_name = "FILE")]
    pub(crate) claims: Vec<PathBuf>,
    /// What `update()` takes: a JSON Schema, or samples [default: nothing]
    #[arg(long, value_name = "FILE")]
    pub(crate) update: Vec<PathBuf>,
    /// The file to write [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write nothing; exit code 1 when the file is not as it would be written
    #[arg(long, requires = "out")]
    pub(crate) check: bool,
}

pub(super) const CHECK_HELP: &str = "\
Examples:
  hallpass check
  hallpass check --config /etc/hallpass/hallpass.toml --json

It reads the file, the environment and the callbacks, and asks nobody: no database, no provider.
`hallpass doctor` does. Exit code 2 means that something is wrong; no secret is printed.";

pub(super) const SCHEMA_HELP: &str = "\
Example:
  hallpass schema > hallpass.schema.json

With `#:schema ./hallpass.schema.json` as the first line of hallpass.toml, editors that know TOML
(Even Better TOML, Taplo, JetBrains) complete keys, explain them, and mark what is wrong.";

pub(super) const TYPES_HELP: &str = "\
Examples:
  curl -b \"$COOKIES\" https://app.example.com/api/auth/session > session.json
  hallpass types --sample session.json --out web/hallpass.d.ts
  hallpass types --sample admin.json --sample guest.json --claims claims.json --out web/hallpass.d.ts
  hallpass types --schema session.schema.json --update update.schema.json --out web/hallpass.d.ts
  hallpass types --schema session.schema.json --out web/hallpass.d.ts --check

A field that is not in every sample becomes optional. A sample knows no enums: write a schema for
roles. For --claims and --update a file with `$schema`, or with `type` and `properties`, is a schema.
What to do with the declarations stands in docs/typescript.md.";

/// What the new settings say. What is not said here is asked for.
#[derive(Args, Clone, Debug)]
pub(crate) struct Init {
    /// Where to write [default: this folder]
    #[arg(long, value_name = "FOLDER", default_value = ".", hide_default_value = true)]
    pub(crate) dir: PathBuf,
    /// Ask nothing: take the defaults
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Write where files are already; the old ones are kept beside the new ones, as .bak
    #[arg(long)]
    pub(crate) force: bool,
    /// Public address of the site [default: <http://localhost:3000>]
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// A provider that Hallpass knows: github, google, … Several are fine
    #[arg(long, value_name = "ID")]
    pub(crate) provider: Vec<String>,
    /// Somebody who signs in with a password, which is made for them
    #[arg(long, value_name = "USERNAME")]
    pub(crate) user: Option<String>,
    /// Sign-in by links in mails, from this address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,
    /// What sends them: smtp://…, or a service such as resend
    #[arg(long, value_name = "SERVER", requires = "mail_from")]
    pub(crate) mail: Option<String>,
    /// Where users and sessions are: sqlite, sqlite:<file>, postgres://… or mysql://… [default: sqlite]
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// What the front end is made with
    #[arg(long, value_enum)]
    pub(crate) framework: Option<Framework>,
}

/// What a front end is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Framework {
    /// Next.js with next-auth
    Next,
    /// Nuxt with nuxt-auth
    Nuxt,
    /// `SvelteKit`
    Sveltekit,
    /// Anything with Vite: React, Vue, Solid
    Vite,
    /// Something else, or not known yet
    Other,
}

pub(super) const INIT_HELP: &str = "\
Examples:
  hallpass init
  hallpass init --yes --url https://app.example.com --provider github --provider google
  hallpass init --yes --user ada --framework next --dir auth
  hallpass init --yes --provider github --database postgres://user:password@db.example.com/hallpass

It writes hallpass.toml, hallpass.schema.json for editors, and the folder secrets, which git ignores
and nobody else can read. Nothing is written before the last answer, and all of it or nothing.";
