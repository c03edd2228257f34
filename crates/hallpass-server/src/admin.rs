//! `hallpass migrate`, `users` and `sessions`: what the database holds, from the command line.

use std::error::Error as _;

use hallpass::{Auth, Environment, Error, ErrorKind, User, with_causes};

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
    let text = match error.source() {
        // The store says what it does not want.
        Some(cause) if error.kind() == ErrorKind::Store => with_causes(cause),
        _ => with_causes(&error),
    };
    // The name is for logs.
    let without_name = text.strip_prefix(error.kind().name()).and_then(|text| text.strip_prefix(": "));
    Failure::other(without_name.unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use hallpass::StoreError;

    use super::*;

    #[test]
    fn what_failed_is_told_with_its_causes_and_without_its_name() {
        for (error, told) in [
            (
                StoreError::unavailable("postgres://app:canary@db/app is away").into(),
                "the store failed: postgres://db/app is away",
            ),
            (
                StoreError::refused("the name is too long").into(),
                "the store cannot keep this: the name is too long",
            ),
            (StoreError::conflict("the address is taken").into(), "the address is taken"),
            (Error::new(ErrorKind::Store, "not an e-mail address"), "not an e-mail address"),
        ] {
            assert_eq!(failed(error).to_string(), told);
        }
    }
}
