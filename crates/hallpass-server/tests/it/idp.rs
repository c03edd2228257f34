//! An OpenID provider that answers over HTTP: the one of `hallpass::testkit`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use hallpass::clock::{Clock, SystemClock};
use hallpass::http::HttpClient;
use hallpass::testkit::{Idp, ManualClock, Returning};
use http::Request;

use crate::browser::{Answer, Browser};

/// It answers until the test ends.
pub(crate) struct OpenIdProvider {
    idp: Arc<Idp>,
    pub(crate) origin: String,
}

impl OpenIdProvider {
    /// Everybody who comes is Ada.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let idp = Arc::new(Idp::new(&origin, &ManualClock::at(SystemClock.now())));
        idp.set_user(serde_json::json!({ "sub": "42", "name": "Ada Lovelace", "email": "ada@example.com" }));
        let (answering, address) = (Arc::clone(&idp), origin.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &answering, &address);
            }
        });
        Self { idp, origin }
    }

    /// From now on everybody who comes is who these claims say.
    pub(crate) fn set_user(&self, claims: serde_json::Value) {
        self.idp.set_user(claims);
    }

    /// Settings for it.
    pub(crate) fn provider(&self) -> String {
        format!(
            "[providers.oidc]\ntype = \"oidc\"\nissuer = \"{}\"\nid = \"{CLIENT}\"\nsecret = \"{SECRET}\"\n",
            self.origin
        )
    }

    /// Signs in with it.
    pub(crate) fn sign_in(&self, browser: &mut Browser) -> Answer {
        let path = self.way_back(browser);
        browser.get(&path)
    }

    /// Where it sends a browser that wants to sign in.
    pub(crate) fn way_back(&self, browser: &mut Browser) -> String {
        let answer = browser.post("/api/auth/signin/oidc", &[("callbackUrl", "/")]);
        let Returning::Link(link) = self.idp.authorize(answer.header("location").unwrap()) else {
            panic!("it comes back by a link")
        };
        let (_, path) = link.split_once("/api/auth/").unwrap();
        format!("/api/auth/{path}")
    }
}

fn answer(stream: TcpStream, idp: &Idp, origin: &str) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or_default() == 0 {
        return;
    }
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let mut request = Request::builder().method(method.as_str()).uri(format!("{origin}{path}"));
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() <= 2 {
            break;
        }
        let (name, value) = line.trim_end().split_once(": ").unwrap();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        }
        request = request.header(name, value);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let response = runtime.block_on(idp.send(request.body(Bytes::from(body)).unwrap())).unwrap();
    let mut text = format!("HTTP/1.1 {}\r\nconnection: close\r\n", response.status());
    for (name, value) in response.headers().iter().filter(|(name, _)| *name != "content-length") {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n", response.body().len()));
    let mut stream = reader.into_inner();
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.write_all(response.body());
}

/// What `hallpass::testkit::Idp` knows.
const CLIENT: &str = "the client";

const SECRET: &str = "the client's secret";
