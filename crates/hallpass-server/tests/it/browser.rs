//! A browser without looks: it keeps cookies.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The first header of this name, in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The fields of the form on a page that nobody types into.
    pub(crate) fn hidden_fields(&self) -> Vec<(String, String)> {
        let inputs = self.body.split("<input type=\"hidden\" name=\"").skip(1);
        let fields = inputs.map(|input| {
            let mut parts = input.split('"');
            (parts.next().unwrap().to_owned(), parts.nth(1).unwrap().to_owned())
        });
        fields.collect()
    }
}

/// Somebody's browser.
#[derive(Clone)]
pub(crate) struct Browser {
    host: String,
    cookies: BTreeMap<String, String>,
    /// Sent with every request, each with its end of line.
    headers: String,
}

impl Browser {
    pub(crate) fn new(host: &str) -> Self {
        Self { host: host.to_owned(), cookies: BTreeMap::new(), headers: String::new() }
    }

    /// The same browser, whose every request has these headers, each with its end of line.
    pub(crate) fn saying(self, headers: &str) -> Self {
        Self { headers: headers.to_owned(), ..self }
    }

    /// The same browser, for a server that has moved.
    pub(crate) fn at(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    /// The values of all cookies.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &str> {
        self.cookies.values().map(String::as_str)
    }

    /// The names of all cookies.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.cookies.keys().map(String::as_str)
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "", "")
    }

    /// The same with headers of one's own, each with its end of line.
    pub(crate) fn get_with(&mut self, path: &str, headers: &str) -> Answer {
        self.send("GET", path, headers, "")
    }

    /// Asks for a change, as `update()` does.
    pub(crate) fn update(&mut self, data: &str) -> Answer {
        let answer = self.get("/api/auth/csrf");
        let token = answer.body.split('"').nth(3).unwrap_or_default().to_owned();
        let body = format!("{{\"csrfToken\":\"{token}\",\"data\":{data}}}");
        self.send("POST", "/api/auth/session", "content-type: application/json\r\n", &body)
    }

    /// The body of `GET /session`.
    pub(crate) fn session(&mut self) -> serde_json::Value {
        let answer = self.get("/api/auth/session");
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Whether there is a cookie with a session.
    pub(crate) fn has_session(&self) -> bool {
        self.cookies.keys().any(|name| name.contains("session-token"))
    }

    /// Signs in with a provider that lets everybody in.
    pub(crate) fn sign_in_with(&mut self, provider: &str) -> Answer {
        let answer = self.post(&format!("/api/auth/signin/{provider}"), &[("callbackUrl", "/")]);
        let location = answer.header("location").unwrap().to_owned();
        let state = location.split(['?', '&']).find_map(|it| it.strip_prefix("state=")).unwrap_or_default();
        self.get(&format!("/api/auth/callback/{provider}?code=code&state={state}"))
    }

    /// Opens a magic link and agrees.
    pub(crate) fn follow(&mut self, link: &str) -> Answer {
        let page = self.get(link);
        let fields = page.hidden_fields();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post_bare(link.split('?').next().unwrap(), &fields)
    }

    /// Sends a form with the CSRF token of this browser.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.get("/api/auth/csrf");
        let token = answer.body.split('"').nth(3).unwrap_or_default().to_owned();
        self.post_bare(path, &[fields, &[("csrfToken", &token)]].concat())
    }

    /// Sends a form as it is.
    pub(crate) fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        self.send("POST", path, "content-type: application/x-www-form-urlencoded\r\n", &body.join("&"))
    }

    /// Signs in with name and password.
    pub(crate) fn sign_in(&mut self, username: &str, password: &str) -> Answer {
        let fields = [("username", username), ("password", password), ("callbackUrl", "/")];
        self.post("/api/auth/callback/credentials", &fields)
    }

    /// Sends any request, with headers of one's own, each with its end of line.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\ncontent-length: {}\r\n{headers}{}\
             connection: close\r\n\r\n{body}",
            self.host,
            cookies.join("; "),
            body.len(),
            self.headers,
        );
        let answer = send(&self.host, text.as_bytes());
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// Sends bytes and reads everything that comes back.
pub(crate) fn send(host: &str, request: &[u8]) -> Answer {
    let mut stream = connect(host);
    // A server that has seen enough closes before everything is written.
    let _ = stream.write_all(request);
    read(&mut stream)
}

pub(crate) fn connect(host: &str) -> TcpStream {
    let stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Reads an answer to the end of the connection.
pub(crate) fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.as_str(), ""));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer { status: status.unwrap_or_default(), headers, body: body.to_owned() }
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
