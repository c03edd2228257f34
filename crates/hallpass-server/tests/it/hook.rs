//! A server that is asked by webhooks, and keeps what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// How it answers.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// With 200 and this body.
    Body(String),
    /// With this status line, and a header.
    Status(&'static str, &'static str),
    /// Not while the test runs.
    Never,
    /// By closing the connection.
    Nothing,
}

type Answers = dyn Fn(&str, &Value) -> Reply + Send;

#[derive(Clone)]
pub(crate) struct Hook {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<Box<Answers>>>,
}

impl Hook {
    /// It answers what this makes of the kind and the data.
    pub(crate) fn start(answers: impl Fn(&str, &Value) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hooks/path-secret", listener.local_addr().unwrap());
        let hook = Self { url, asked: Arc::default(), answers: Arc::new(Mutex::new(Box::new(answers))) };
        let it = hook.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let it = it.clone();
                thread::spawn(move || it.talk(stream));
            }
        });
        hook
    }

    /// From now on it answers otherwise.
    pub(crate) fn answer(&self, answers: impl Fn(&str, &Value) -> Reply + Send + 'static) {
        *self.answers.lock().unwrap() = Box::new(answers);
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What it was asked of this kind, as soon as there is any.
    pub(crate) fn wait_for(&self, kind: &str) -> Value {
        for _ in 0..2000 {
            let found = self.asked().into_iter().map(|asked| asked.json()).find(|it| it["type"] == kind);
            if let Some(found) = found {
                return found;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("{kind} was not asked");
    }

    fn talk(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or_default() <= 2 {
                break;
            }
            if let Some((name, value)) = line.split_once(':') {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        let mut asked = Asked { headers, body: String::new() };
        let mut body = vec![0; asked.header("content-length").parse().unwrap_or_default()];
        let _ = reader.read_exact(&mut body);
        asked.body = String::from_utf8_lossy(&body).into_owned();
        let json = asked.json();
        self.asked.lock().unwrap().push(asked);
        let reply = self.answers.lock().unwrap()(json["type"].as_str().unwrap_or_default(), &json["data"]);
        let (status, header, body) = match reply {
            Reply::Body(body) => ("200 OK", "", body),
            Reply::Status(status, header) => (status, header, "{}".to_owned()),
            Reply::Never => return thread::sleep(Duration::from_secs(60)),
            Reply::Nothing => return,
        };
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{header}connection: close\r\n\r\n{body}"
        );
        let _ = reader.into_inner().write_all(text.as_bytes());
    }
}
