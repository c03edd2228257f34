//! Two programs on one database: the second one is this test binary again.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use hallpass::{Account, AccountKind, OneTimeToken, Store, Timestamp, User, UserPage};

use crate::open::{builder, fresh, sqlite_url};

async fn each_token_is_taken_by_one(url: &str) {
    let store = fresh(url).await;
    for number in 0..TOKENS {
        store.create_token(token(number)).await.unwrap();
    }
    let mut other = second(url, "two_processes::second_takes_all_tokens");
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("ready")).unwrap();
    let ours = take_all(&store).await;
    let theirs = lines.find_map(|line| line.split_once("taken: ")?.1.parse().ok()).unwrap_or(0);
    other.wait().unwrap();
    assert_eq!(ours + theirs, TOKENS);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_is_taken_by_one_on_sqlite() {
    each_token_is_taken_by_one(&sqlite_url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_is_taken_by_one_on_postgresql() {
    let Some(database) = test_servers::postgres().await else { return };
    each_token_is_taken_by_one(&database.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_is_taken_by_one_on_mariadb() {
    let Some(database) = test_servers::mariadb().await else { return };
    each_token_is_taken_by_one(&database.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_survives_a_killed_program_whole() {
    let url = sqlite_url();
    let store = fresh(&url).await;
    for round in 0..3 {
        let mut other = second(&url, "two_processes::second_writes_until_killed");
        let lines = BufReader::new(other.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut written: Vec<_> = lines
            .filter_map(|line| Some(line.split_once("written: ")?.1.to_owned()))
            .take(20 + round)
            .collect();
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(written.len(), 20 + round);
        for id in written.drain(..) {
            assert!(store.user(&id).await.unwrap().is_some(), "{id}");
        }
        for user in store.users(UserPage::first(10_000)).await.unwrap() {
            assert_eq!(store.accounts(&user.id).await.unwrap().len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other process of a test"]
async fn second_takes_all_tokens() {
    let store = builder(url()).connect().await.unwrap();
    println!("ready");
    println!("taken: {}", take_all(&store).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other process of a test"]
async fn second_writes_until_killed() {
    let store = builder(url()).connect().await.unwrap();
    for number in 0.. {
        let id = format!("{}-{number}", std::process::id());
        let account = Account::new("idp", AccountKind::Oidc, &id);
        store.create_user(User::new(&id), Some(account)).await.unwrap();
        println!("written: {id}");
    }
}

async fn take_all(store: &impl Store) -> u32 {
    let mut count = 0;
    for number in 0..TOKENS {
        let token = token(number);
        count += u32::from(store.take_token(&token.identifier, &token.hash).await.unwrap().is_some());
    }
    count
}

fn token(number: u32) -> OneTimeToken {
    OneTimeToken::new("ada@example.com", format!("hash {number}"), Timestamp::from_seconds(1))
}

fn second(url: &str, test: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--ignored", "--nocapture"]).env(URL, url);
    command.stdout(Stdio::piped()).spawn().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "how the test tells the other process where the database is")]
fn url() -> String {
    std::env::var(URL).unwrap()
}

const TOKENS: u32 = 100;

const URL: &str = "HALLPASS_TEST_URL";
