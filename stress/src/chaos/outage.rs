//! The database is stopped, killed, frozen, slow or cut off, and back.

use std::time::{Duration, Instant};

use test_servers::{Proxy, Server};
use tokio::task::JoinSet;

use crate::Result;
use crate::chaos::{all_are_signed_in, whole, works_soon};
use crate::client::SignedIn;
use crate::process::Process;

pub(crate) async fn run(database: &Server) -> Result<()> {
    let url = database.database().url;
    let proxy = Proxy::to(database.address());
    let server = Process::start("hallpass", &proxy.url(&url), TIMEOUT).await?;
    let (person, _) = server.connect().await?.sign_in("first").await?;
    let mut people = vec![person.ok_or("nobody signs up")?];

    proxy.delay(SLOW);
    all_are_signed_in(&server, &people).await?;
    println!("PostgreSQL: {SLOW:?} away, and works");
    proxy.restore();

    let troubles: [Trouble<'_>; 5] = [
        ("stopped", &|| database.stop(), &|| database.run()),
        ("killed", &|| database.kill(), &|| database.run()),
        ("frozen", &|| database.pause(), &|| database.resume()),
        ("slower than the time-out", &|| proxy.delay(Duration::from_secs(60)), &|| proxy.restore()),
        ("cut off", &|| proxy.cut(), &|| proxy.restore()),
    ];
    for (number, (name, begin, end)) in troubles.into_iter().enumerate() {
        let crowd = crowd(&server, number);
        tokio::time::sleep(Duration::from_millis(300)).await;
        begin();
        let started = Instant::now();
        is_unavailable(&server, &people).await?;
        people.extend(crowd.join_all().await.into_iter().flatten());
        println!("PostgreSQL: {name}; 503 in time, {} people signed in so far", people.len());
        while started.elapsed() < TIMEOUT {
            is_unavailable(&server, &people).await?;
        }
        end();
        let person = people.first().ok_or("nobody has signed up")?;
        let newcomer = works_soon(&server, person, &format!("newcomer{number}")).await?;
        people.push(newcomer);
        all_are_signed_in(&server, &people).await?;
        whole::check(&url, &people).await?;
    }
    server.kill().await
}

/// What it is called, how it begins, and how it ends.
type Trouble<'a> = (&'static str, &'a dyn Fn(), &'a dyn Fn());

/// Sign-ups that go on until the first that is refused.
fn crowd(server: &Process, number: usize) -> JoinSet<Vec<SignedIn>> {
    let address = server.address();
    let mut tasks = JoinSet::new();
    for connection in 0..CONNECTIONS {
        tasks.spawn(async move {
            let mut people = Vec::new();
            let Ok(mut browser) = crate::client::Connection::open(address).await else { return people };
            for at in 0.. {
                match browser.sign_in(&format!("t{number}c{connection}n{at}")).await {
                    Ok((Some(person), _)) => people.push(person),
                    _ => break,
                }
            }
            people
        });
    }
    tasks
}

/// 503, soon, with no cookie, for a session, a guarded page and a sign-up.
async fn is_unavailable(server: &Process, people: &[SignedIn]) -> Result<()> {
    let cookie = people.first().map(|person| person.cookie.as_str()).unwrap_or_default();
    for path in ["/auth/session", "/private", "sign-up"] {
        let started = Instant::now();
        let mut browser = server.connect().await?;
        let answer = match path {
            "sign-up" => browser.sign_in("nobody").await?.1,
            _ => browser.get(path, cookie).await?,
        };
        let is_right = answer.status == 503
            && answer.header("retry-after").is_some()
            && !answer.cookies().any(|cookie| cookie.contains("session-token"));
        if !is_right || started.elapsed() > IN_TIME {
            return Err(
                format!("{path} without a database, after {:?}: {answer:?}", started.elapsed()).into()
            );
        }
    }
    Ok(())
}

/// For each call to the database.
const TIMEOUT: Duration = Duration::from_secs(1);

const SLOW: Duration = Duration::from_millis(50);

/// The time-out, and what a busy machine adds.
const IN_TIME: Duration = Duration::from_secs(3);

const CONNECTIONS: u32 = 8;
