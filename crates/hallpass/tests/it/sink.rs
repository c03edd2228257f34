//! A mail server that keeps what it is sent, and behaves as badly as it is told to.

use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What the server does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Well,
    /// TLS from the first byte on.
    TlsFirst,
    /// It knows no `AUTH PLAIN`.
    OnlyLogin,
    /// Somebody on the way removes STARTTLS.
    StartTlsStripped,
    /// It says STARTTLS and then does not do it.
    StartTlsRefused,
    WrongPassword,
    TryLater,
    NoSuchUser,
    RefusesData,
    NeverGreets,
    HangsAfterData,
    ClosesAtOnce,
    ClosesAfterRecipient,
    TalksNonsense,
}

/// A mail as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) data: String,
    pub(crate) encrypted: bool,
    /// User and password.
    pub(crate) login: Option<(String, String)>,
}

impl Received {
    /// A header, unfolded.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.data.split_once("\r\n\r\n")?;
        header(head, name)
    }

    /// A part of the mail, decoded.
    pub(crate) fn part(&self, kind: &str) -> String {
        let content_type = self.header("content-type").unwrap();
        let boundary = content_type.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        let begin = format!("--{boundary}\r\n");
        let mut parts = self.data.split(&begin).skip(1);
        let part = parts
            .find(|part| {
                header(part.split_once("\r\n\r\n").unwrap().0, "content-type").unwrap().starts_with(kind)
            })
            .unwrap();
        let (head, body) = part.split_once("\r\n\r\n").unwrap();
        let body = body.split(&format!("\r\n--{boundary}")).next().unwrap();
        match header(head, "content-transfer-encoding").as_deref() {
            Some("quoted-printable") => quoted_printable(body),
            Some("base64") => String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap(),
            _ => body.replace("\r\n", "\n"),
        }
    }
}

/// The server. It stops with the test.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    pub(crate) port: u16,
    /// The authority that its certificate comes from.
    pub(crate) root: String,
    mails: Arc<Mutex<Vec<Received>>>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    /// A server for `localhost`.
    pub(crate) async fn start(mood: Mood) -> Self {
        Self::start_as("localhost", mood).await
    }

    /// A server whose certificate is for this name.
    pub(crate) async fn start_as(name: &str, mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tls, root) = certificate(name);
        let sink = Self { port, root, mails: Arc::default(), lines: Arc::default() };
        let server = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (server, tls) = (server.clone(), tls.clone());
                tokio::spawn(async move { server.connected(stream, tls, mood).await });
            }
        });
        sink
    }

    pub(crate) fn mails(&self) -> Vec<Received> {
        self.mails.lock().unwrap().clone()
    }

    /// The one mail that there is.
    pub(crate) fn only(&self) -> Received {
        let mails = self.mails();
        assert_eq!(mails.len(), 1);
        mails[0].clone()
    }

    /// What clients have said, line by line, without mails.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    async fn connected(self, stream: TcpStream, tls: TlsAcceptor, mood: Mood) -> io::Result<()> {
        match mood {
            Mood::NeverGreets => pending().await,
            Mood::ClosesAtOnce => return Ok(()),
            _ => {}
        }
        if mood == Mood::TlsFirst {
            let mut stream = BufReader::new(tls.accept(stream).await?);
            say(&mut stream, "220 sink").await?;
            return self.talk(stream, mood, true).await.map(drop);
        }
        let mut stream = BufReader::new(stream);
        say(&mut stream, if mood == Mood::TalksNonsense { "hello there" } else { "220 sink" }).await?;
        if let Some(stream) = self.talk(stream, mood, false).await? {
            let stream = BufReader::new(tls.accept(stream.into_inner()).await?);
            self.talk(stream, mood, true).await?;
        }
        Ok(())
    }

    /// Until the end, or until encryption should begin.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: BufReader<S>,
        mood: Mood,
        encrypted: bool,
    ) -> io::Result<Option<BufReader<S>>> {
        let mut mail = Received { encrypted, ..Received::default() };
        while let Some(line) = self.line(&mut stream).await? {
            let (verb, rest) = line.split_once([' ', ':']).unwrap_or((&line, ""));
            let answer = match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    say(&mut stream, "250-sink").await?;
                    if !encrypted && mood != Mood::StartTlsStripped {
                        say(&mut stream, "250-STARTTLS").await?;
                    }
                    say(&mut stream, "250-8BITMIME").await?;
                    let methods = if mood == Mood::OnlyLogin { "LOGIN" } else { "PLAIN LOGIN" };
                    say(&mut stream, &format!("250 AUTH {methods}")).await?;
                    continue;
                }
                "STARTTLS" if mood == Mood::StartTlsRefused => "454 not now",
                "STARTTLS" => {
                    say(&mut stream, "220 go on").await?;
                    return Ok(Some(stream));
                }
                "AUTH" => {
                    mail.login = self.login(&mut stream, rest).await?;
                    if mood == Mood::WrongPassword { "535 wrong password of ada" } else { "235 welcome" }
                }
                "MAIL" => {
                    mail.from = path(rest);
                    "250 fine"
                }
                "RCPT" => match mood {
                    Mood::TryLater => "451 later, ada@example.com",
                    Mood::NoSuchUser => "550 there is no ada@example.com",
                    Mood::ClosesAfterRecipient => return Ok(None),
                    _ => {
                        mail.to.push(path(rest));
                        "250 fine"
                    }
                },
                "DATA" => {
                    say(&mut stream, "354 go on").await?;
                    mail.data = data(&mut stream).await?;
                    match mood {
                        Mood::HangsAfterData => pending().await,
                        Mood::RefusesData => "554 this looks like spam",
                        _ => {
                            self.mails.lock().unwrap().push(mail.clone());
                            "250 taken"
                        }
                    }
                }
                "QUIT" => {
                    say(&mut stream, "221 bye").await?;
                    return Ok(None);
                }
                _ => "250 fine",
            };
            say(&mut stream, answer).await?;
        }
        Ok(None)
    }

    async fn login<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut BufReader<S>,
        rest: &str,
    ) -> io::Result<Option<(String, String)>> {
        let decode = |text: &str| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
        if let Some(text) = rest.strip_prefix("PLAIN ") {
            let text = decode(text);
            let mut parts = text.split('\0').skip(1).map(str::to_owned);
            return Ok(parts.next().zip(parts.next()));
        }
        say(stream, "334 VXNlcm5hbWU6").await?;
        let user = self.line(stream).await?.unwrap_or_default();
        say(stream, "334 UGFzc3dvcmQ6").await?;
        let password = self.line(stream).await?.unwrap_or_default();
        Ok(Some((decode(&user), decode(&password))))
    }

    async fn line<S: AsyncRead + Unpin>(&self, stream: &mut BufReader<S>) -> io::Result<Option<String>> {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        self.lines.lock().unwrap().push(line.clone());
        Ok(Some(line))
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await
}

/// Until a line with a dot alone; dots that were doubled are single again (RFC 5321 §4.5.2).
async fn data<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

/// `TO:<a@b> PARAMETER=1` → `a@b`; what stands behind is left on, so that a test sees it.
fn path(rest: &str) -> String {
    let path = rest.split_once('<').map_or(rest, |(_, path)| path);
    path.split_once('>').map_or(path, |(path, _)| path).to_owned()
}

fn header(head: &str, name: &str) -> Option<String> {
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let mut lines = unfolded.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

fn quoted_printable(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'=' {
            let hex = std::str::from_utf8(&after[..2]).unwrap();
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

/// A certificate from an authority of its own.
fn certificate(name: &str) -> (TlsAcceptor, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}
