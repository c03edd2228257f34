//! What is configured, for programs that look after an application.

use url::Url;

use crate::AccountKind;
use crate::config::{Config, ProviderEntry, origin_of};
use crate::oauth::metadata::Metadata;
use crate::oauth::{ProtocolError, ProtocolErrorKind};
use crate::providers::Provider;

use super::Auth;

/// A way to sign in, as it is configured: [`Auth::providers`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfiguredProvider {
    /// Its id, as in addresses.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Its kind.
    pub kind: AccountKind,
    /// The address that is to be registered at the provider, where it sends browsers back to; `None` for forms and
    /// mails, which nobody else hears of.
    pub redirect_uri: Option<String>,
}

impl<C> Auth<C> {
    /// The ways to sign in, in the order of the sign-in page. `origin` is that of the site
    /// (`https://app.example.com`), which counts where no `url` is configured.
    ///
    /// ```
    /// use hallpass::{Auth, Environment, providers::GITHUB};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let auth = Auth::builder()
    ///     .environment(Environment::empty())
    ///     .secret("a text of at least 32 characters, at random")
    ///     .provider(GITHUB.client("id", "secret"))
    ///     .build()?;
    /// let [github] = auth.providers("https://app.example.com").try_into().map_err(|_| "there is one")?;
    /// assert_eq!(
    ///     github.redirect_uri.as_deref(),
    ///     Some("https://app.example.com/api/auth/callback/github")
    /// );
    /// # Ok(()) }
    /// ```
    pub fn providers(&self, origin: &str) -> Vec<ConfiguredProvider> {
        let Some(config) = self.core().config() else { return Vec::new() };
        let described = config.providers.iter().map(|entry| ConfiguredProvider {
            id: entry.id().to_owned(),
            name: entry.name().to_owned(),
            kind: entry.kind(),
            redirect_uri: match entry {
                ProviderEntry::OAuth(provider) => Some(redirect_uri(config, provider, origin)),
                ProviderEntry::Credentials(..) | ProviderEntry::Email(..) => None,
            },
        });
        described.collect()
    }

    /// The endpoints of a provider, as a sign-in finds them: from the configuration, or by asking for the discovery
    /// document, which is judged as usual (OpenID Connect Discovery §4.3).
    ///
    /// # Errors
    /// When there is no such provider, it does not answer, names another issuer, or an endpoint is missing or may not
    /// be asked.
    pub async fn discover(&self, provider: &str) -> Result<Metadata, ProtocolError> {
        let config = self.core().config();
        let entry = config.and_then(|config| Some((config, config.provider(provider)?)));
        let Some((config, ProviderEntry::OAuth(provider))) = entry else {
            return Err(ProtocolError::new(
                ProtocolErrorKind::Configuration,
                "there is no such provider of OAuth 2 or OpenID Connect",
            ));
        };
        config.relying_party.metadata(provider).await.map(|metadata| (*metadata).clone())
    }
}

fn redirect_uri(config: &Config, provider: &Provider, origin: &str) -> String {
    let origin = config.origin.as_deref().unwrap_or(origin).trim_end_matches('/');
    let own = format!("{origin}{}/callback/{}", config.base_path, provider.id());
    // As in a sign-in: a proxy cannot pass on the body of a POST.
    let proxy = config.redirect_proxy(provider).filter(|_| !provider.is_form_post());
    let is_other = |proxy: &&str| {
        Url::parse(proxy).ok().as_ref().and_then(origin_of).is_some_and(|proxy| proxy != origin)
    };
    match proxy.filter(is_other) {
        Some(proxy) => format!("{}/callback/{}", proxy.trim_end_matches('/'), provider.id()),
        None => own,
    }
}
