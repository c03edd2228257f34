//! What a browser got.

use std::ops::Deref;

use bytes::Bytes;
use http::header::{AsHeaderName, LOCATION, SET_COOKIE};
use http::{Response, StatusCode};
use serde_json::Value;

/// An answer, with what tests ask of it. It is a [`Response`] otherwise.
#[derive(Clone, Debug)]
pub struct Answer(pub(super) Response<Bytes>);

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.body()).expect("the body is text")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.body()).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text()))
    }

    /// A header, or nothing.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        Some(self.headers().get(name)?.to_str().expect("the header is text"))
    }

    /// Where the browser is sent: the text of `Location`.
    pub fn location(&self) -> &str {
        self.header(LOCATION)
            .unwrap_or_else(|| panic!("no Location, but {}: {:?}", self.status(), self.text()))
    }

    /// A parameter of the address that the browser is sent to.
    pub fn location_parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.location().split_once('?')?;
        let query = query.split('#').next().unwrap_or_default();
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        parameters.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The lines of `Set-Cookie`.
    pub fn set_cookies(&self) -> Vec<&str> {
        let lines = self.headers().get_all(SET_COOKIE).iter();
        lines.map(|line| line.to_str().expect("the header is text")).collect()
    }

    /// Names of the cookies that the answer sets or removes.
    pub fn cookie_names(&self) -> Vec<&str> {
        self.set_cookies().into_iter().map(|line| line.split('=').next().unwrap_or_default()).collect()
    }

    /// The first form of a page: where it goes, and its hidden fields.
    pub fn form(&self) -> Option<(String, Vec<(String, String)>)> {
        let text = std::str::from_utf8(self.body()).ok()?;
        let (_, form) = text.split_once("<form ")?;
        let (form, _) = form.split_once("</form>")?;
        let action = attribute(form, "action")?;
        let hidden = form.split("<input type=\"hidden\" ").skip(1);
        let fields = hidden.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)));
        Some((action, fields.collect()))
    }

    /// Whether it sends the browser to a page that says `error=<code>`.
    pub fn is_error(&self, code: &str) -> bool {
        self.status() == StatusCode::FOUND && self.location_parameter("error").as_deref() == Some(code)
    }
}

/// An attribute of the element that the text begins in.
fn attribute(element: &str, name: &str) -> Option<String> {
    let (element, _) = element.split_once('>')?;
    let (_, value) = element.split_once(&format!("{name}=\""))?;
    let (value, _) = value.split_once('"')?;
    let plain = value.replace("&lt;", "<").replace("&quot;", "\"").replace("&#39;", "'");
    Some(plain.replace("&amp;", "&"))
}

impl Deref for Answer {
    type Target = Response<Bytes>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
