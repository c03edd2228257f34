//! Another server: the API that callbacks ask, and a provider that lets everybody in.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// It answers until the test ends.
pub(crate) struct Api {
    /// `http://127.0.0.1:…`
    pub(crate) origin: String,
    asked: Arc<Mutex<Vec<String>>>,
    is_failing: Arc<AtomicBool>,
}

impl Api {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let api = Self { origin, asked: Arc::default(), is_failing: Arc::default() };
        let (asked, is_failing) = (Arc::clone(&api.asked), Arc::clone(&api.is_failing));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (asked, is_failing) = (Arc::clone(&asked), Arc::clone(&is_failing));
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream);
                    let mut head = String::new();
                    let mut length = 0;
                    loop {
                        let mut line = String::new();
                        if reader.read_line(&mut line).unwrap_or_default() <= 2 {
                            break;
                        }
                        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                            length = value.trim().parse().unwrap_or_default();
                        }
                        head.push_str(&line);
                    }
                    let mut body = vec![0; length];
                    let _ = reader.read_exact(&mut body);
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    asked.lock().unwrap().push(path.clone());
                    let (status, header, body) = match is_failing.load(Ordering::Relaxed) {
                        true => {
                            ("500 Internal Server Error", String::new(), r#"{"error":"broken"}"#.to_owned())
                        }
                        // What was sent, for whoever wants to know what has arrived.
                        false if path == "/api/head" => ("200 OK", String::new(), head.replace('\r', "")),
                        false => answer(&path, &String::from_utf8_lossy(&body)),
                    };
                    let text = format!(
                        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{header}\
                         connection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = reader.into_inner().write_all(text.as_bytes());
                });
            }
        });
        api
    }

    /// From now on it answers everything with an error.
    pub(crate) fn fail(&self, is_failing: bool) {
        self.is_failing.store(is_failing, Ordering::Relaxed);
    }

    /// How often a path was asked for that begins so.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.starts_with(path)).count()
    }

    /// Settings for a provider that this is.
    pub(crate) fn provider(&self) -> String {
        let origin = &self.origin;
        format!(
            "[providers.acme]\ntype = \"oauth2\"\nid = \"client\"\nsecret = \"secret\"\n\
             authorization_endpoint = \"{origin}/authorize\"\ntoken_endpoint = \"{origin}/token\"\n\
             userinfo_endpoint = \"{origin}/user\"\n"
        )
    }
}

/// An address at which nobody listens: connections are refused.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn answer(path: &str, body: &str) -> (&'static str, String, String) {
    let ok = |body: &str| ("200 OK", String::new(), body.to_owned());
    let path = path.split('?').next().unwrap_or_default();
    if let Some(size) = path.strip_prefix("/api/size/") {
        return ok(&"x".repeat(size.parse().unwrap()));
    }
    match path {
        "/token" => {
            ok(r#"{"access_token":"access-token-of-acme","token_type":"Bearer","session_token":"abc-123"}"#)
        }
        "/user" => ok(r#"{"id":42,"name":"Ada Lovelace","email":"ada@example.com","mail_checked":true}"#),
        "/api/session/abc-123" => ok(r#"{"name":"Ada","avatar":"/ada.png","role":"manager"}"#),
        "/api/slow" => {
            thread::sleep(Duration::from_millis(300));
            ok(r#"{"slow":true}"#)
        }
        "/api/never" => {
            thread::sleep(Duration::from_secs(5));
            ok("{}")
        }
        "/api/echo" => ok(body),
        "/api/to-link-local" => {
            ("302 Found", "location: http://169.254.169.254/latest/meta-data\r\n".to_owned(), String::new())
        }
        "/api/to-other" => ("302 Found", "location: http://127.0.0.1:1/\r\n".to_owned(), String::new()),
        "/api/to-echo" => ("307 Temporary Redirect", "location: /api/echo\r\n".to_owned(), String::new()),
        _ => ("404 Not Found", String::new(), r#"{"error":"nothing here"}"#.to_owned()),
    }
}
