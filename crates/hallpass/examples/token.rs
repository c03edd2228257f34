//! Seals and opens session tokens on the command line.
//!
//! ```text
//! token seal DIALECT SECRETS SALT CLAIMS     prints a token
//! token open DIALECT SECRETS SALT TOKEN      prints the claims, or fails
//! token read cookie|authorization SECRETS - VALUE    prints the claims that a service finds in this header, or null
//! token                                      one such command a line on standard input, separated by tabs
//! ```
//!
//! `DIALECT` is `v5` or `v4`, `SECRETS` are separated by commas, newest first, and `SALT` is the name of the cookie
//! (empty for session tokens of `v4`). `CLAIMS` are a JSON object, sealed as they are. On standard input a command
//! that fails answers `error: …` on its line.

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;

use hallpass::clock::{Clock, SystemClock};
use hallpass::jose::{Dialect, TokenKeys};
use hallpass::random::{Random, SystemRandom};
use hallpass::{Secret, TokenReader};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome =
        if arguments.is_empty() { run_lines() } else { run(&arguments).map(|answer| println!("{answer}")) };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_lines() -> Result<(), Box<dyn Error>> {
    for line in stdin().lock().lines() {
        let arguments: Vec<String> = line?.split('\t').map(str::to_owned).collect();
        let answer = run(&arguments).unwrap_or_else(|error| format!("error: {error}"));
        writeln!(stdout(), "{answer}")?;
    }
    Ok(())
}

fn run(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    let [command, dialect, secrets, salt, input] = arguments else {
        return Err("expected seal or open, dialect, secrets, salt, and claims or token".into());
    };
    if command == "read" {
        return read(dialect, secrets, input);
    }
    let dialect = match dialect.as_str() {
        "v5" => Dialect::V5,
        "v4" => Dialect::V4,
        other => return Err(format!("unknown dialect {other}").into()),
    };
    let secrets: Vec<Secret> = secrets.split(',').map(Secret::from).collect();
    let keys = TokenKeys::derive(dialect, &secrets, salt);

    match command.as_str() {
        "seal" => {
            let mut iv = [0; 16];
            SystemRandom.fill(&mut iv)?;
            Ok(keys.seal_claims(&serde_json::from_str(input)?, &iv))
        }
        "open" => Ok(serde_json::to_string(&keys.open_claims(input, SystemClock.now())?)?),
        other => Err(format!("unknown command {other}").into()),
    }
}

fn read(header: &str, secrets: &str, value: &str) -> Result<String, Box<dyn Error>> {
    let headers = HeaderMap::from_iter([(HeaderName::try_from(header)?, HeaderValue::try_from(value)?)]);
    let token = TokenReader::with_secrets(secrets.split(',')).read::<Map<String, Value>>(&headers)?;
    Ok(serde_json::to_string(&token.map(|token| token.claims))?)
}
