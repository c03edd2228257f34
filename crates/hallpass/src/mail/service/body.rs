//! What each service wants to be sent.

use base64ct::{Base64, Encoding};
use serde_json::json;

use crate::Secret;
use crate::mail::{MailError, Message};

pub(super) fn bearer(key: &Secret) -> String {
    format!("Bearer {}", key.expose())
}

/// RFC 7617.
pub(super) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", Base64::encode_string(format!("{name}:{password}").as_bytes()))
}

pub(super) fn resend(message: &Message) -> String {
    plain(message)
}

pub(super) fn forward_email(message: &Message) -> String {
    plain(message)
}

fn plain(message: &Message) -> String {
    json!({
        "from": message.from.to_string(),
        "to": message.to,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
    })
    .to_string()
}

pub(super) fn sendgrid(message: &Message) -> String {
    let from = match message.from.name() {
        Some(name) => json!({ "email": message.from.address(), "name": name }),
        None => json!({ "email": message.from.address() }),
    };
    json!({
        "personalizations": [{ "to": [{ "email": message.to }] }],
        "from": from,
        "subject": message.subject,
        "content": [
            { "type": "text/plain", "value": message.text },
            { "type": "text/html", "value": message.html },
        ],
        "tracking_settings": {
            "click_tracking": { "enable": false, "enable_text": false },
            "open_tracking": { "enable": false },
        },
    })
    .to_string()
}

pub(super) fn postmark(message: &Message) -> String {
    json!({
        "From": message.from.to_string(),
        "To": message.to,
        "Subject": message.subject,
        "TextBody": message.text,
        "HtmlBody": message.html,
        "TrackOpens": false,
        "TrackLinks": "None",
        "MessageStream": "outbound",
    })
    .to_string()
}

pub(super) fn mailgun(message: &Message) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("from", &message.from.to_string())
        .append_pair("to", &message.to)
        .append_pair("subject", &message.subject)
        .append_pair("text", &message.text)
        .append_pair("html", &message.html)
        .append_pair("o:tracking", "no")
        .append_pair("o:tracking-clicks", "no")
        .append_pair("o:tracking-opens", "no")
        .finish()
}

/// The domain of the sender is part of the path.
pub(super) fn mailgun_path(message: &Message) -> Result<String, MailError> {
    let domain = message.from.domain();
    if !domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')) {
        return Err(MailError::Message("the domain of the sender is not plain ASCII"));
    }
    Ok(format!("/v3/{domain}/messages"))
}

pub(super) fn loops(message: &Message, template: Option<&str>) -> String {
    json!({
        "transactionalId": template,
        "email": message.to,
        "dataVariables": { "url": message.link },
    })
    .to_string()
}
