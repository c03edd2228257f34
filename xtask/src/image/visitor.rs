//! Somebody who signs in, as the proxy passes it on.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::command::Failure;

/// Reads what anybody may read, and signs in with a password.
pub(crate) fn signs_in(port: u16, password: &str) -> Result<(), Failure> {
    let mut visitor = Visitor { port, cookies: Vec::new() };
    let providers = visitor.json("providers")?;
    wants(
        providers.get("github").is_some() && providers.get("credentials").is_some(),
        "providers",
        &providers,
    )?;
    let nobody = visitor.json("session")?;
    wants(nobody.is_null(), "no session", &nobody)?;
    let csrf = visitor.json("csrf")?;
    let token = csrf.get("csrfToken").and_then(Value::as_str).unwrap_or_default();
    let form = format!("username=ada&password={}&csrfToken={token}", password.replace(' ', "+"));
    let (status, body) = visitor.ask("POST", "callback/credentials", &form)?;
    if status != 302 {
        return Err(Failure::new(format!("signing in: {status} {body}")));
    }
    let session = visitor.json("session")?;
    wants(session.pointer("/user/name") == Some(&"Ada Lovelace".into()), "a session", &session)
}

fn wants(is_so: bool, what: &str, value: &Value) -> Result<(), Failure> {
    if is_so { Ok(()) } else { Err(Failure::new(format!("{what}: {value}"))) }
}

struct Visitor {
    port: u16,
    /// Each as `name=value`.
    cookies: Vec<String>,
}

impl Visitor {
    fn json(&mut self, action: &str) -> Result<Value, Failure> {
        let (status, body) = self.ask("GET", action, "")?;
        match status {
            200 => Ok(serde_json::from_str(&body)?),
            _ => Err(Failure::new(format!("{action}: {status} {body}"))),
        }
    }

    /// Status and body of the answer.
    fn ask(&mut self, method: &str, action: &str, body: &str) -> Result<(u16, String), Failure> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (cookies, length) = (self.cookies.join("; "), body.len());
        let request = format!(
            "{method} /api/auth/{action} HTTP/1.1\r\nhost: auth.example.com\r\ncookie: {cookies}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let set = head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        self.cookies.extend(set.filter_map(|cookie| cookie.split(';').next()).map(str::to_owned));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Ok((status, body.to_owned()))
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
