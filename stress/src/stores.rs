//! Stores with many rows: how long a session takes to read, how it is found, and what sweeping costs.

mod compare;
mod fill;
mod plans;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hallpass::{SessionToken, Store, StoreError};
use hallpass_sqlx::SqlStore;
use test_servers::{Durability, Kind, Server};

use crate::Result;
use crate::database::Database;
use crate::site::SECRET;

/// Every store that is installed, or only the one that is named so, one after the other; and what a site makes of two
/// of them.
pub(crate) async fn run(rows: u32, seconds: f64, only: &str) -> Result<()> {
    let is_wanted = |name: &str| only.is_empty() || only.eq_ignore_ascii_case(name);
    if is_wanted("SQLite") {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("stores.db").display());
        measure("SQLite", &url, rows).await?;
        compare::run("SQLite", &url, seconds).await?;
    }
    for (name, kind) in [("PostgreSQL", Kind::Postgres), ("MariaDB", Kind::MariaDb)] {
        if !is_wanted(name) {
            continue;
        }
        let Some(server) = Server::start(kind, Durability::Fast) else { continue };
        let url = server.database().url;
        measure(name, &url, rows).await?;
        if kind == Kind::Postgres {
            compare::run(name, &url, seconds).await?;
        }
    }
    Ok(())
}

async fn measure(name: &str, url: &str, rows: u32) -> Result<()> {
    let store = SqlStore::builder(url).secrets([SECRET]).connect().await?;
    store.migrate().await?;
    let mut database = Database::open(url).await?;
    fill::rows(&mut database, 0..FEW).await?;
    let few = reads(&store, FEW).await?;
    let started = Instant::now();
    fill::rows(&mut database, FEW..rows).await?;
    println!("{name}: {rows} users and sessions, filled in {:.0} s", started.elapsed().as_secs_f64());
    let many = reads(&store, rows).await?;
    let (few, many) = (percentile(few, 50), percentile(many, 50));
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    println!(
        "{name}: a session is read in {:.1} µs of {FEW} rows and in {:.1} µs of {rows} (p50): {ratio:.2}",
        few.as_secs_f64() * 1e6,
        many.as_secs_f64() * 1e6
    );
    plans::print(name, &mut database).await?;
    let wanted = rows.div_ceil(fill::EXPIRED);
    let sweep = || store.sweep(fill::BETWEEN, BATCH);
    in_batches(name, "expired rows swept", sweep, wanted, &store, rows).await?;
    let wanted = (rows - 1).div_ceil(fill::EXPIRED);
    let forget = || store.forget_clients(fill::BETWEEN, BATCH);
    in_batches(name, "user agents forgotten", forget, wanted, &store, rows).await?;
    store.close().await;
    Ok(())
}

/// How long each of some reads took, of sessions here and there. Each session was read once before: a page that nobody
/// has looked at yet tells how fast the disk is.
async fn reads(store: &SqlStore, rows: u32) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    let before = (0..rows).filter(|number| number % fill::EXPIRED != 0);
    for number in before.chain(somewhere(rows).take(READS)) {
        let token = SessionToken::new(fill::token(number));
        let started = Instant::now();
        let found = store.session(&token).await?;
        took.push(started.elapsed());
        if found.is_none_or(|(_, user)| user.id != fill::user(number)) {
            return Err(format!("session {number} is not there").into());
        }
    }
    Ok(took.split_off(took.len() - READS))
}

/// Does one batch after the other, while somebody reads.
async fn in_batches<F: Future<Output = std::result::Result<u64, StoreError>>>(
    name: &str,
    what: &str,
    batch: impl Fn() -> F,
    wanted: u32,
    store: &SqlStore,
    rows: u32,
) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(read_until(store.clone(), rows, Arc::clone(&stop)));
    let (mut count, mut longest, started) = (0, Duration::ZERO, Instant::now());
    loop {
        let batch_started = Instant::now();
        let batch = batch().await?;
        longest = longest.max(batch_started.elapsed());
        count += batch;
        if batch == 0 {
            break;
        }
        if batch > u64::from(BATCH) {
            return Err(format!("a batch of {batch} rows").into());
        }
    }
    let elapsed = started.elapsed();
    stop.store(true, Ordering::Relaxed);
    let took = reader.await??;
    if count != u64::from(wanted) {
        return Err(format!("{count} {what}, not {wanted}").into());
    }
    let reads = took.len();
    println!(
        "{name}: {count} {what} in {:.1} s, at most {} ms for {BATCH}; meanwhile {reads} reads, p50 {} µs, p99 {} µs",
        elapsed.as_secs_f64(),
        longest.as_millis(),
        percentile(took.clone(), 50).as_micros(),
        percentile(took, 99).as_micros()
    );
    Ok(())
}

async fn read_until(store: SqlStore, rows: u32, stop: Arc<AtomicBool>) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    for number in somewhere(rows) {
        let token = SessionToken::new(fill::token(number));
        let started = Instant::now();
        let found = store.session(&token).await?;
        took.push(started.elapsed());
        if found.is_none() {
            return Err("a session that has not expired was swept".into());
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(took)
}

/// Sessions that have not expired, in no order, the same ones each time.
fn somewhere(rows: u32) -> impl Iterator<Item = u32> {
    let step =
        |at: &u64| Some(at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    std::iter::successors(Some(42), step)
        .filter_map(move |at: u64| u32::try_from((at >> 33) % u64::from(rows)).ok())
        .filter(|number| number % fill::EXPIRED != 0)
}

pub(crate) fn percentile(mut took: Vec<Duration>, percent: usize) -> Duration {
    took.sort_unstable();
    let index = took.len().saturating_sub(1) * percent / 100;
    took.get(index).copied().unwrap_or_default()
}

const FEW: u32 = 1000;

const READS: usize = 20_000;

const BATCH: u32 = 1000;
