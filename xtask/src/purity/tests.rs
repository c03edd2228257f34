use super::*;

fn problems(source: &str) -> Vec<String> {
    problems_in(source, &["oauth".to_owned(), "callback".to_owned()])
}

#[test]
fn pure_code_passes() {
    let source = "
        //! Uses tokio? No: `async` and `std::env` stand in a comment only.
        use std::collections::BTreeMap;
        use crate::jose::{jwk::Jwk, jws};
        use crate::{Secret, Timestamp};
        use crate::http::Reach;
        use super::token::TokenRequest;
        pub(crate) fn check(now: Timestamp, random: [u8; 32]) -> Result<(), Error> { super::pkce::check(now) }
        const TEXT: &str = \"reqwest\";
        #[cfg(test)]
        mod tests { async fn f() { tokio::spawn(std::env::var(\"X\")).await } }
    ";
    assert_eq!(problems(source), Vec::<String>::new());
}

#[test]
fn each_impurity_is_found() {
    for impure in [
        "async fn f() {}",
        "let x = y.await;",
        "let now = std::time::SystemTime::now();",
        "use std::time::SystemTime;",
        "let now = Instant::now();",
        "let now = std::time::Instant::now();",
        "std::env::var(\"HOME\")",
        "use std::env;",
        "use std::{env, fmt};",
        "use std::net::TcpStream;",
        "use std::fs;",
        "std::fs::read(path)",
        "use std::io::Read;",
        "std::process::exit(1)",
        "std::thread::spawn(f)",
        "use tokio::time;",
        "reqwest::get(url)",
        "getrandom::fill(&mut bytes)",
        "rand::random()",
    ] {
        assert_eq!(problems(impure).len(), 1, "{impure}");
    }
}

#[test]
fn imports_from_above_are_found() {
    for import in [
        "use crate::handle::Core;",
        "use crate::actions;",
        "use crate::store::Store;",
        "use crate::http::client::Client;",
        "use crate::http::HttpClient;",
        "use crate::clock::Clock;",
        "use crate::random::Random;",
        "use crate::relying_party::RelyingParty;",
        "use crate::*;",
        "use crate::{jose::jws, session::Session};",
        "crate::config::Config::default()",
        "$crate::handle::handle()",
        "use super::super::handle;",
        "super::super::handle::handle()",
    ] {
        assert_eq!(problems(import).len(), 1, "{import}");
    }
}

#[test]
fn the_line_is_named() {
    let found = problems("fn f() {\n    tokio::spawn(g())\n}");
    assert_eq!(found, ["2: tokio::spawn: no runtime"]);
}

#[test]
fn only_the_ring_is_read_and_its_tests_are_not() {
    let module = |path: &str| ring_module(Path::new(path));
    assert_eq!(module("oauth.rs"), Some(vec!["oauth".to_owned()]));
    assert_eq!(module("oidc/id_token.rs"), Some(vec!["oidc".to_owned(), "id_token".to_owned()]));
    assert_eq!(module("providers/mod.rs"), Some(vec!["providers".to_owned()]));
    assert_eq!(module("handle.rs"), None);
    assert_eq!(module("actions/oauth.rs"), None);
    assert_eq!(module("jose/jws/tests.rs"), None);
    assert_eq!(module("jose/tests/vectors.rs"), None);
}
