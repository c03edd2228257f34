//! What is done around a configuration, without a server: `hallpass check`, `init` and `types`.

use hallpass::Auth;
use url::Url;

use crate::config::{Config, is_loopback_host};

pub(crate) mod check;
pub(crate) mod init;
pub(crate) mod types;
pub(crate) mod variables;

/// Where the site is, as far as the settings say. The second is false where only the proxy knows.
pub(crate) fn origin(config: &Config) -> (String, bool) {
    let url = config.url.as_deref().and_then(|url| Url::parse(url).ok());
    if let Some(url) = url {
        return (url.origin().ascii_serialization(), true);
    }
    let host = config.listen.ip().to_string();
    if config.trusts_host() || config.host_comes_from_proxies() || !is_loopback_host(&host) {
        return ("https://your-site.example".to_owned(), false);
    }
    // As browsers are told in development, and as providers know this machine.
    (format!("http://localhost:{}", config.listen.port()), true)
}

/// The address below which all others are.
pub(crate) fn base(auth: &Auth, origin: &str) -> String {
    format!("{origin}{}", auth.base_path())
}
