//! SIGTERM while all connections are busy.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::tally::Tally;
use super::{CONNECTIONS, Site, is_refused};
use crate::Result;
use crate::client::Connection;
use crate::process::Process;

/// Wants an answer to everything that was sent on a connection that the server has not said it would close, and exit
/// code 0.
pub(super) async fn run(server: Process, site: &Arc<Site>, time: Duration) -> Result<()> {
    let mut tasks = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (site, connection) = (Arc::clone(site), site.connect().await?);
        tasks.spawn(ask_until_closed(connection, site, number));
    }
    sleep(time).await;
    server.signal("TERM").await?;
    let mut all = Tally::default();
    for tally in tasks.join_all().await {
        all.add(tally?);
    }
    let code = server.ended().await?;
    if code != Some(0) {
        return Err(format!("the server ended with {code:?}").into());
    }
    match site.connect().await {
        Err(error) if is_refused(error.as_ref()) => {}
        _ => return Err("somebody listens still".into()),
    }
    println!("SIGTERM with {CONNECTIONS} busy connections: none of {} requests was lost", all.count());
    Ok(())
}

async fn ask_until_closed(mut connection: Connection, site: Arc<Site>, number: usize) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut turn = number;
    while tally.ask(&mut connection, &site, turn).await? {
        turn += 1;
    }
    Ok(tally)
}
