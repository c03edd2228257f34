//! Who a mail is from.

use std::fmt;
use std::str::FromStr;

use crate::email;

/// Who a mail is from: an address, perhaps with a name before it.
///
/// ```
/// use hallpass::mail::Sender;
///
/// let sender: Sender = "Acme <login@acme.example>".parse()?;
/// assert_eq!((sender.name(), sender.address()), (Some("Acme"), "login@acme.example"));
/// # Ok::<(), hallpass::mail::MailError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    name: Option<String>,
    address: String,
}

impl Sender {
    /// The name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What stands behind the `@`.
    pub fn domain(&self) -> &str {
        self.address.split_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for Sender {
    type Err = super::MailError;

    /// Reads `login@acme.example` or `Acme <login@acme.example>`.
    ///
    /// # Errors
    /// When there is not one plain address, or the name holds quotes, backslashes, angle brackets or control
    /// characters.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, address)) => (name.trim(), address.trim()),
            None => ("", text),
        };
        let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
        if name.chars().any(|c| c.is_control() || matches!(c, '"' | '\\' | '<' | '>')) {
            return Err(super::MailError::Message(
                "the name of the sender holds quotes or control characters",
            ));
        }
        if !email::is_single(address) {
            return Err(super::MailError::Message("the sender is not one plain address"));
        }
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        Ok(Self { name, address: address.to_owned() })
    }
}

/// As it stands in a mail: `Acme <login@acme.example>`.
impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(name) = &self.name else { return f.write_str(&self.address) };
        // RFC 5322 §3.2.3: anything but an atom is quoted.
        let is_plain =
            name.chars().all(|c| !c.is_ascii_punctuation() || matches!(c, '-' | '_' | '\'' | '&' | '!'));
        match is_plain {
            true => write!(f, "{name} <{}>", self.address),
            false => write!(f, "\"{name}\" <{}>", self.address),
        }
    }
}
