//! A mail server that takes everything.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

pub(crate) struct Sink {
    pub(crate) port: u16,
    mails: Receiver<String>,
}

impl Sink {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, mails) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || talk(&stream, &sender));
            }
        });
        Self { port, mails }
    }

    /// How many mails there are that nobody has looked at.
    pub(crate) fn count(&self) -> usize {
        self.mails.try_iter().count()
    }

    /// The next mail, as it was sent.
    pub(crate) fn mail(&self) -> String {
        self.mails.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    /// The path of the link in the next mail.
    pub(crate) fn link(&self) -> String {
        // Quoted-printable, as far as it matters for an address.
        let mail = self.mail().replace("=\r\n", "").replace("=3D", "=");
        let (_, link) = mail.split_once("http://").unwrap();
        let link = link.split_whitespace().next().unwrap();
        link[link.find('/').unwrap()..].to_owned()
    }
}

fn talk(mut stream: &TcpStream, mails: &Sender<String>) {
    let mut lines = BufReader::new(stream);
    let mut mail = None;
    let _ = stream.write_all(b"220 sink\r\n");
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
        let answer = match mail.take() {
            Some(text) if line == ".\r\n" => {
                let _ = mails.send(text);
                "250 kept\r\n"
            }
            Some(text) => {
                mail = Some(text + &line);
                ""
            }
            None if line.starts_with("DATA") => {
                mail = Some(String::new());
                "354 go on\r\n"
            }
            None if line.starts_with("QUIT") => "221 bye\r\n",
            None => "250 fine\r\n",
        };
        let _ = stream.write_all(answer.as_bytes());
        line.clear();
    }
}
