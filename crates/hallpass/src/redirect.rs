//! Where the browser may be sent: the one place that decides.

use url::Url;

use crate::config::{Config, origin_of};
use crate::error::{Error, ErrorKind};
use crate::hooks::{self, Redirect};

/// An address that somebody asked for, by the application's `redirect` callback or the default rules.
///
/// # Errors
/// [`ErrorKind::InvalidCallbackUrl`] when it is not an address at all, and what the callback returns.
pub(crate) async fn judge(config: &Config, asked: &str, origin: &str) -> Result<String, Error> {
    let Some(hook) = &config.hooks.redirect else {
        return by_default(asked, origin, &config.redirect_origins);
    };
    let event = Redirect { url: asked.to_owned(), base_url: origin.to_owned() };
    let chosen = hooks::call(config.callback_timeout, hook, event).await?;
    let chosen = chosen
        .map_err(|error| Error::from_callback(error, ErrorKind::Callback, "the redirect callback failed"))?;
    // A callback that lets everything pass that begins with `/` means a path, not another host.
    let stays = |base: Url| base.join(&chosen).is_ok_and(|url| origin_of(&url) == origin_of(&base));
    let chosen = match chosen.starts_with('/') && !Url::parse(origin).is_ok_and(stays) {
        true => format!("{origin}{chosen}"),
        false => chosen,
    };
    // A client assigns what it is told to `location`: it must be an address of the web.
    let is_web = |base: Url| base.join(&chosen).ok().as_ref().and_then(origin_of).is_some();
    let chosen = if Url::parse(origin).is_ok_and(is_web) { chosen } else { origin.to_owned() };
    header_safe(&chosen, origin).ok_or_else(not_an_address)
}

/// The default rules: a path of the site, or an address on it or on a listed origin; the site itself for anything else.
fn by_default(asked: &str, origin: &str, others: &[String]) -> Result<String, Error> {
    if asked.starts_with('/') {
        return header_safe(&format!("{origin}{asked}"), origin).ok_or_else(not_an_address);
    }
    if is_spelled_on(asked, origin) {
        return header_safe(asked, origin).ok_or_else(not_an_address);
    }
    let url = Url::parse(asked).map_err(|_| not_an_address())?;
    let asked_origin = origin_of(&url);
    let is_listed = asked_origin.as_ref().is_some_and(|asked| others.contains(asked));
    if is_listed || (asked_origin.is_some() && asked_origin == site_origin(origin)) {
        // What was parsed must be what the browser will parse: nothing is passed on that a parser would tidy away.
        return header_safe(asked, origin).ok_or_else(not_an_address);
    }
    Ok(origin.to_owned())
}

/// Whether an address begins with the very text of the origin, and with nothing that would change it: most do, and
/// need no parsing.
pub(crate) fn is_spelled_on(address: &str, origin: &str) -> bool {
    address.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

fn site_origin(origin: &str) -> Option<String> {
    Url::parse(origin).ok().as_ref().and_then(origin_of)
}

/// The text as it is where it can stand in a header as it is; else the parser's spelling of it.
fn header_safe(text: &str, origin: &str) -> Option<String> {
    if text.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'\\') {
        return Some(text.to_owned());
    }
    let base = Url::parse(origin).ok()?;
    base.join(text).ok().map(String::from)
}

/// What the query parameter and the cookie may be.
pub(crate) fn is_address_or_path(text: &str) -> bool {
    text.starts_with('/') || Url::parse(text).ok().as_ref().and_then(origin_of).is_some()
}

pub(crate) fn not_an_address() -> Error {
    Error::new(ErrorKind::InvalidCallbackUrl, "callbackUrl is not an address")
}

/// A page with parameters added to its address.
pub(crate) fn with_query(page: &str, parameters: &[(&str, &str)]) -> String {
    if parameters.is_empty() {
        return page.to_owned();
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let separator = if page.contains('?') { '&' } else { '?' };
    let (page, fragment) =
        page.split_once('#').map_or((page, None), |(page, fragment)| (page, Some(fragment)));
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{page}{separator}{}{fragment}", query.finish())
}
