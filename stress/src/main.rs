//! What `cargo xtask chaos`, `cargo xtask load` and `cargo xtask bench stores` run.
//!
//! `stress chaos ROUNDS HALLPASS` kills that server and takes the database of a site away;
//! `stress stores ROWS SECONDS [STORE]` measures stores with many rows. `stress load SECONDS HALLPASS` asks that server
//! for all that it has, `stress soak SECONDS HALLPASS` for a little for a long time.
//! `stress serve hallpass|bare URL MILLIS` is that site.

mod chaos;
mod client;
mod database;
mod load;
mod process;
mod site;
mod stores;

use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["chaos", rounds, hallpass] => threads()?.block_on(chaos::run(rounds.parse()?, hallpass.as_ref())),
        ["load", seconds, hallpass] => threads()?.block_on(load::run(seconds.parse()?, hallpass.as_ref())),
        ["soak", seconds, hallpass] => {
            threads()?.block_on(load::soak::run(seconds.parse()?, hallpass.as_ref()))
        }
        ["stores", rows, seconds, only @ ..] => {
            let only = only.first().copied().unwrap_or_default();
            threads()?.block_on(stores::run(rows.parse()?, seconds.parse()?, only))
        }
        ["serve", kind, url, timeout] => {
            let timeout = Duration::from_millis(timeout.parse()?);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(site::serve(kind, url, timeout))
        }
        _ => {
            Err("usage: stress chaos ROUNDS HALLPASS | load SECONDS HALLPASS | soak SECONDS HALLPASS | stores ROWS SECONDS [STORE] | serve hallpass|bare URL MILLIS".into())
        }
    }
}

fn threads() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
