use super::*;

fn message() -> Message {
    Message::new("ada@example.com", "Acme <login@acme.example>".parse().unwrap(), "Hello", "canary")
}

#[test]
fn a_sender_is_an_address_perhaps_with_a_name() {
    for (text, name, address, shown) in [
        ("login@acme.example", None, "login@acme.example", "login@acme.example"),
        (" <login@acme.example> ", None, "login@acme.example", "login@acme.example"),
        ("Acme <login@acme.example>", Some("Acme"), "login@acme.example", "Acme <login@acme.example>"),
        ("\"Acme, Inc.\" <l@a.example>", Some("Acme, Inc."), "l@a.example", "\"Acme, Inc.\" <l@a.example>"),
        ("Acme (EU) <l@a.example>", Some("Acme (EU)"), "l@a.example", "\"Acme (EU)\" <l@a.example>"),
        ("Bücher <l@a.example>", Some("Bücher"), "l@a.example", "Bücher <l@a.example>"),
    ] {
        let sender: Sender = text.parse().unwrap();
        assert_eq!((sender.name(), sender.address(), sender.to_string()), (name, address, shown.to_owned()));
        assert_eq!(shown.parse::<Sender>().unwrap(), sender);
    }
    for text in [
        "",
        "Acme",
        "Acme <>",
        "Acme <a@b.example",
        "a@b.example, c@d.example",
        "Acme <a@b.example>, Evil <c@d.example>",
        "Acme <a@b.example, c@d.example>",
        "A\r\nBcc: c@d.example <a@b.example>",
        "Acme <a@b.example\r\nBcc: c@d.example>",
        "A\"c\"me <a@b.example>",
        "Acme <<a@b.example>",
        "A\\ <a@b.example>",
    ] {
        assert!(text.parse::<Sender>().is_err(), "{text:?}");
    }
}

#[test]
fn a_message_with_two_recipients_or_a_second_header_is_refused() {
    assert!(message().check().is_ok());
    for to in ["", "ada", "a@b.example,c@d.example", "a@b.example\r\nRCPT TO:<c@d.example>", "<a@b.example>"]
    {
        assert!(Message { to: to.to_owned(), ..message() }.check().is_err(), "{to:?}");
    }
    for subject in ["", "a\r\nBcc: c@d.example", "a\nb", "a\0b"] {
        assert!(Message { subject: subject.to_owned(), ..message() }.check().is_err(), "{subject:?}");
    }
}

#[test]
fn a_message_is_not_printed() {
    let message = Message { html: "canary".into(), link: "canary".into(), ..message() };
    let shown = format!("{message:?}");
    assert!(!shown.contains("canary") && !shown.contains("ada@"), "{shown}");
}
