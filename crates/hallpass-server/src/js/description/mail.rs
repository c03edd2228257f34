//! Providers that mail links: `Nodemailer({…})`, `Resend({…})` and their like.

use hallpass::Secret;
use serde_json::{Map, Value};
use url::Url;

use super::{MailProvider, seconds, wrong};
use crate::js::fault::Fault;

/// # Errors
/// When it says something that Hallpass decides, or no address of a server.
pub(super) fn read(id: String, provider: &Map<String, Value>) -> Result<MailProvider, Fault> {
    let functions = provider.get("functions").and_then(Value::as_array).into_iter().flatten();
    if let Some(name) = functions.filter_map(Value::as_str).next() {
        return Err(wrong(format!("`{name}` of the provider {id:?} is not supported"))
            .cure("Hallpass makes the links and the mails: leave it out"));
    }
    let text = |name: &str| provider.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(MailProvider {
        name: text("name"),
        from: text("from"),
        server: provider.get("server").map(|it| server(&id, it)).transpose()?.flatten(),
        key: text("apiKey").filter(|key| !key.is_empty()).map(Secret::from),
        max_age: seconds(provider, "maxAge")?,
        id,
    })
}

/// An address, or what nodemailer takes in its place.
fn server(id: &str, server: &Value) -> Result<Option<Secret>, Fault> {
    let options = match server {
        // A variable of the environment that is not set.
        Value::Null => return Ok(None),
        Value::String(url) => return Ok(Some(url.as_str()).filter(|url| !url.is_empty()).map(Secret::from)),
        Value::Object(options) => options,
        _ => return Err(no_address(id)),
    };
    if let Some(unknown) =
        options.keys().find(|key| !["host", "port", "secure", "auth"].contains(&key.as_str()))
    {
        return Err(wrong(format!("`server.{unknown}` of the provider {id:?} is not supported")).cure(
            "`host`, `port`, `secure` and `auth` are; or write an address: \"smtp://user:password@host:587\"",
        ));
    }
    let port = match options.get("port") {
        None | Some(Value::Null) => None,
        Some(port) => {
            let number = port.as_u64().or_else(|| port.as_str()?.parse().ok());
            Some(number.and_then(|number| u16::try_from(number).ok()).ok_or_else(|| no_address(id))?)
        }
    };
    let host = options.get("host").and_then(Value::as_str).ok_or_else(|| no_address(id))?;
    let secure = options.get("secure").and_then(Value::as_bool).unwrap_or_else(|| port == Some(465));
    let scheme = if secure { "smtps" } else { "smtp" };
    let mut url = Url::parse(&format!("{scheme}://{host}")).map_err(|_| no_address(id))?;
    url.set_port(port).map_err(|()| no_address(id))?;
    if let Some(auth) = options.get("auth").filter(|auth| !auth.is_null()) {
        let text = |name: &str| auth.get(name).and_then(Value::as_str).ok_or_else(|| no_address(id));
        url.set_username(text("user")?).map_err(|()| no_address(id))?;
        url.set_password(Some(text("pass")?)).map_err(|()| no_address(id))?;
    }
    Ok(Some(Secret::from(String::from(url))))
}

fn no_address(id: &str) -> Fault {
    wrong(format!("`server` of the provider {id:?} is no mail server"))
        .cure("\"smtp://user:password@host:587\", or { host, port, auth: { user, pass } }")
}
