//! A browser, as far as it is needed: one connection that stays open.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;

pub(crate) struct Connection {
    stream: TcpStream,
    csrf: Option<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

/// Somebody who was told that they are signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) name: String,
    /// What the `Cookie` header says: as in a browser, all that was set on the way.
    pub(crate) cookie: String,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, csrf: None })
    }

    pub(crate) async fn get(&mut self, path: &str, cookie: &str) -> Result<Answer> {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n");
        self.ask(&head).await
    }

    /// Signs in with a name; somebody whom nobody knows signs up so. `None` and the answer when that is refused.
    pub(crate) async fn sign_in(&mut self, name: &str) -> Result<(Option<SignedIn>, Answer)> {
        let (cookie, token) = self.csrf().await?;
        let form = format!("csrfToken={token}&username={name}&password={PASSWORD}");
        let answer = self.post("/auth/callback/credentials", &cookie, &form).await?;
        let session =
            answer.cookies().find(|cookie| cookie.contains("session-token=") && !cookie.ends_with('='));
        let signed_in =
            session.map(|session| SignedIn { name: name.to_owned(), cookie: format!("{cookie}; {session}") });
        Ok((signed_in, answer))
    }

    /// Signs out whom this connection has signed in.
    pub(crate) async fn sign_out(&mut self, person: &SignedIn) -> Result<Answer> {
        let (_, token) = self.csrf().await?;
        self.post("/auth/signout", &person.cookie, &format!("csrfToken={token}")).await
    }

    async fn post(&mut self, path: &str, cookie: &str, form: &str) -> Result<Answer> {
        let length = form.len();
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{form}"
        ))
        .await
    }

    /// The same, with the cookie and the token of another one.
    pub(crate) fn with_csrf(self, csrf: (String, String)) -> Self {
        Self { csrf: Some(csrf), ..self }
    }

    /// A cookie, and the token that belongs to it.
    pub(crate) async fn csrf(&mut self) -> Result<(String, String)> {
        if let Some(csrf) = &self.csrf {
            return Ok(csrf.clone());
        }
        let answer = self.get("/auth/csrf", "").await?;
        let json: serde_json::Value = serde_json::from_str(&answer.body)?;
        let token = json.get("csrfToken").and_then(|token| token.as_str()).ok_or("no CSRF token")?;
        let cookies: Vec<&str> = answer.cookies().collect();
        let csrf = (cookies.join("; "), token.to_owned());
        self.csrf = Some(csrf.clone());
        Ok(csrf)
    }

    async fn ask(&mut self, request: &str) -> Result<Answer> {
        self.stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::with_capacity(4096);
        loop {
            if let Some(answer) = Answer::of(&bytes) {
                return Ok(answer);
            }
            if self.stream.read_buf(&mut bytes).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
    }
}

impl Answer {
    /// A whole answer, whose length its head gives.
    fn of(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let (head, body) = bytes.split_at_checked(end + 4)?;
        let head = String::from_utf8_lossy(head).into_owned();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let mut answer = Self { status, head, body: String::new() };
        let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        answer.body = String::from_utf8_lossy(body.get(..length)?).into_owned();
        Some(answer)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// `name=value` of each cookie that is set.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &str> {
        self.headers("set-cookie").filter_map(|value| value.split(';').next())
    }

    fn headers(&self, wanted: &str) -> impl Iterator<Item = &str> {
        self.head.lines().filter_map(move |line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    }
}

/// Everybody's. The site asks for none.
pub(crate) const PASSWORD: &str = "demo";
