//! `hallpass migrate`, `users` and `sessions`: what the database holds, from the command line.

use std::error::Error as _;

use hallpass::{Auth, Environment, Error, ErrorKind, User};

use crate::Failure;
use crate::cli::{Serve, Where};
use crate::config::Config;
use crate::session::{self, App, Claims};
use crate::storage::Storage;
use crate::{log, serve};

pub(crate) mod migrate;
mod print;
pub(crate) mod sessions;
pub(crate) mod users;

pub(crate) use print::Printer;

/// The database that the settings name.
struct Opened {
    config: Config,
    storage: Storage,
    printer: Printer,
}

async fn open(place: &Where) -> Result<Opened, Failure> {
    let environment = Environment::of_process();
    log::start(&environment, log::Format::default());
    let flags = Serve { config: place.config.clone(), dev: place.dev, ..Serve::default() };
    let config = serve::settings(&flags, environment)?;
    let storage = Storage::open(&config).await?;
    Ok(Opened { config, storage, printer: Printer { json: place.json } })
}

/// With tables, and with Hallpass as the server has it.
async fn open_auth(place: &Where) -> Result<(Auth<Claims>, Printer), Failure> {
    let Opened { config, storage, printer } = open(place).await?;
    storage.prepare(&config).await?;
    Ok((session::auth(&config, App::new(&config, storage))?, printer))
}

fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::other)?.block_on(work)
}

/// The user with this id, or else with this address.
async fn user(auth: &Auth<Claims>, named: &str) -> Result<User, Failure> {
    if let Some(user) = auth.users().find(named).await.map_err(failed)? {
        return Ok(user);
    }
    let found = match named.contains('@') {
        true => auth.users().find_by_email(named).await.map_err(failed)?,
        false => None,
    };
    found.ok_or_else(|| Failure::Other(format!("there is no user with the id or address {named:?}")))
}

#[expect(clippy::needless_pass_by_value, reason = "stands behind map_err")]
fn failed(error: Error) -> Failure {
    let (text, name) = (error.to_string(), error.kind().name());
    // The name is for logs.
    let text = text.strip_prefix(name).and_then(|text| text.strip_prefix(": ")).unwrap_or(&text);
    match error.source().map(ToString::to_string) {
        Some(cause) if error.kind() == ErrorKind::Store => Failure::Other(cause),
        Some(cause) if !text.contains(&cause) => Failure::Other(format!("{text}: {cause}")),
        _ => Failure::other(text),
    }
}
