//! As many requests as the server can answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::tally::Tally;
use super::{CONNECTIONS, Site};
use crate::Result;

/// Wants an answer to every request: the right one, or to come again.
pub(super) async fn run(site: &Arc<Site>, time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (site, mut connection) = (Arc::clone(site), site.connect().await?);
        tasks.spawn(async move {
            let mut tally = Tally::default();
            let mut turn = number;
            while Instant::now() < end {
                tally.ask(&mut connection, &site, turn).await?;
                turn += 1;
            }
            Result::Ok(tally)
        });
    }
    let mut all = Tally::default();
    for tally in tasks.join_all().await {
        all.add(tally?);
    }
    all.report(&format!("{CONNECTIONS} connections"), time);
    if all.count() == 0 { Err("nothing was answered".into()) } else { Ok(()) }
}
