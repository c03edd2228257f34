//! To whom browsers send Hallpass' cookies.

use hallpass::{Builder, CookieKind, CookieOptions, SameSite};

/// What `[cookies]` says.
#[derive(Clone, Debug, Default)]
pub(crate) struct CookieScope {
    /// The session goes to its subdomains, too.
    pub(crate) domain: Option<String>,
    pub(crate) same_site: Option<SameSite>,
}

impl CookieScope {
    /// Changes the cookies, which may have been changed in other ways already.
    pub(crate) fn add_to<S>(
        &self,
        mut builder: Builder<S>,
        changed: &[(CookieKind, CookieOptions)],
    ) -> Builder<S> {
        for kind in KINDS {
            let domain = self.domain.clone().filter(|_| kind == CookieKind::SessionToken);
            if domain.is_none() && self.same_site.is_none() {
                continue;
            }
            let known = changed.iter().rev().find(|(other, _)| *other == kind);
            let mut options = known.map(|(_, options)| options.clone()).unwrap_or_default();
            if let Some(domain) = domain {
                options = options.domain(domain);
            }
            if let Some(same_site) = self.same_site {
                options = options.same_site(same_site);
            }
            builder = builder.cookie(kind, options);
        }
        builder
    }
}

const KINDS: [CookieKind; 6] = [
    CookieKind::SessionToken,
    CookieKind::CallbackUrl,
    CookieKind::CsrfToken,
    CookieKind::PkceCodeVerifier,
    CookieKind::State,
    CookieKind::Nonce,
];
