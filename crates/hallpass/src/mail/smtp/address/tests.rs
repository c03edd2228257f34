use super::*;

fn parsed(text: &str) -> (String, u16, Encryption, bool) {
    let server = ServerAddress::parse(text).unwrap();
    (server.host, server.port, server.encryption, server.credentials.is_some())
}

#[test]
fn a_connection_is_encrypted_unless_it_stays_here_or_somebody_said_otherwise() {
    use Encryption::{FromTheStart, None, StartTls};
    for (text, port, encryption) in [
        ("smtp://mail.example", 587, StartTls),
        ("smtp://mail.example:25", 25, StartTls),
        ("smtp://mail.example?tls=required", 587, StartTls),
        ("smtp://mail.example?tls=none", 587, None),
        ("smtps://mail.example", 465, FromTheStart),
        ("smtps://mail.example:4650/?tls=required", 4650, FromTheStart),
        ("smtp://10.0.0.1", 587, StartTls),
        ("smtp://localhost.mail.example", 587, StartTls),
        ("smtp://127.0.0.1:1025", 1025, None),
        ("smtp://localhost", 587, None),
        ("smtp://[::1]:25", 25, None),
        ("smtp://localhost?tls=required", 587, StartTls),
        ("smtps://localhost", 465, FromTheStart),
    ] {
        let (_, got_port, got, credentials) = parsed(text);
        assert_eq!((got_port, got, credentials), (port, encryption, false), "{text}");
    }
}

#[test]
fn user_and_password_are_percent_decoded() {
    let server = ServerAddress::parse("smtp://ada%40acme:p%2Fw%3A@[2001:db8::1]:587").unwrap();
    assert_eq!(server.host, "2001:db8::1");
    assert_eq!(server.credentials, Some(Credentials::new("ada@acme".into(), "p/w:".into())));
}

#[test]
fn what_is_no_address_of_a_server_is_refused_and_not_repeated() {
    for text in [
        "",
        "canary",
        "smtp:canary",
        "smtp://",
        "smtp:///canary",
        "http://canary@mail.example",
        "smtp://canary@mail.example",
        "smtp://:canary@mail.example",
        "smtp://mail.example/canary",
        "smtp://mail.example?tls=canary",
        "smtp://mail.example?canary",
        "smtps://a:canary@mail.example?tls=none",
        "smtp://a:canary%ff@mail.example",
    ] {
        let problem = ServerAddress::parse(text).err().unwrap();
        assert!(problem.contains("EMAIL_SERVER") && !problem.contains("canary"), "{text}: {problem}");
    }
}
