//! What is wrong with settings that could be read.

use hallpass::{Auth, Builder, ConfigError, Credentials, MemoryStore, SameSite};

use super::document::Document;
use super::problem::Problem;
use super::providers::Places;
use super::{Config, is_loopback_host, words};
use crate::js::Script;
use crate::webhooks::Callback;

impl Config {
    /// Development mode never leaves this machine; anything else must know where it is.
    pub(super) fn check_mode(&self, problems: &mut Vec<Problem>) {
        let url_is_local = self.url.as_deref().is_none_or(is_loopback_url);
        let listens_locally = self.listen.ip().is_loopback();
        if self.dev {
            let way_out = "give it a configuration file, or AUTH_SECRET (`hallpass secret` makes one), and start it with `hallpass serve`";
            if !listens_locally {
                problems.push(Problem::new(format!(
                    "development mode is for this machine only, and `listen` is {}: {way_out}; or listen on 127.0.0.1",
                    self.listen
                )));
            }
            if !url_is_local {
                let url = self.url.as_deref().unwrap_or_default();
                problems.push(Problem::new(format!(
                    "development mode is for this machine only, and `url` (AUTH_URL) is {url:?}: {way_out}"
                )));
            }
            return;
        }
        let trusts = self.trust_host.is_some()
            || self.environment.get("AUTH_TRUST_HOST").is_some()
            || self.edge.proxies.is_some();
        if !listens_locally && self.url.is_none() && !trusts {
            problems.push(Problem::new(
                "nobody knows the public address of this server: set `url` (AUTH_URL); or, behind a proxy that sets \
                 the host, `trusted_proxies` or `trust_host = true` (AUTH_TRUST_HOST)",
            ));
        }
        if self.lacks_secret() {
            problems.push(Problem::new(
                "there is no secret: set `secret_file` or `secret` in the file, or AUTH_SECRET (`hallpass secret` makes one)",
            ));
        }
    }

    /// What hangs together with the public address.
    pub(super) fn check_edge(&self, problems: &mut Vec<Problem>) {
        let edge = &self.edge;
        let url = self.url.as_deref().and_then(|url| url::Url::parse(url).ok());
        let is_https =
            url.as_ref().is_some_and(|url| url.scheme() == "https") && self.secure_cookies != Some(false);
        if edge.cookies.same_site == Some(SameSite::None) && !is_https && self.secure_cookies != Some(true) {
            problems.push(Problem::new(
                "`cookies.same_site` is \"none\", and browsers keep such cookies only from https: set an https `url`",
            ));
        }
        if let (Some(domain), Some(host)) = (&edge.cookies.domain, url.as_ref().and_then(url::Url::host_str))
            && host != domain
            && !host.ends_with(&format!(".{domain}"))
        {
            problems.push(Problem::new(format!(
                "`cookies.domain` is {domain:?}, and browsers take no such cookie from {host:?}: name that host, or a \
                 domain that it is in"
            )));
        }
        if edge.forward_auth.as_ref().is_some_and(|it| it.redirect) && edge.proxies.is_none() {
            problems.push(Problem::new(
                "`forward_auth.redirect` sends people back to what a proxy says they have opened: name the proxy in \
                 `trusted_proxies`",
            ));
        }
    }

    /// An address of the server has one meaning.
    fn check_paths(&self, base_path: &str, problems: &mut Vec<Problem>) {
        if OWN_PATHS.contains(&base_path) {
            let all = OWN_PATHS.join(", ");
            problems.push(Problem::new(format!("`base_path` must not be one of {all}")));
        }
        if let Some(path) = self.edge.forward_auth.as_ref().map(|it| it.path.as_str()) {
            let is_below = |path: &str, base: &str| {
                path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let clashes = |other: &str| is_below(path, other) || is_below(other, path);
            if clashes(base_path) || OWN_PATHS.iter().any(|own| clashes(own)) {
                problems.push(Problem::new(format!(
                    "`forward_auth.path` is {path:?}, which is taken: choose another, such as \"/verify\""
                )));
            }
        }
    }

    /// Each callback has one door.
    pub(super) fn check_doors(&self, problems: &mut Vec<Problem>) {
        let expressions = self.expressions.as_ref();
        for (callback, in_script, section, in_expressions) in [
            (Callback::SignIn, "signIn", "[conditions]", expressions.is_some_and(|it| it.has_condition())),
            (Callback::Jwt, "jwt", "[claims]", expressions.is_some_and(|it| it.has_claims())),
            (Callback::Session, "session", "[view]", expressions.is_some_and(|it| it.has_view())),
        ] {
            let mut doors = Vec::new();
            if let Some(script) = self.script.as_ref().filter(|script| script.has_callback(in_script)) {
                doors.push(format!("`{in_script}` in {}", script.file()));
            }
            if self.webhooks.as_ref().is_some_and(|webhooks| webhooks.asks(callback)) {
                doors.push(format!("\"{}\" in [webhooks]", callback.name()));
            }
            if in_expressions {
                doors.push(section.to_owned());
            }
            if doors.len() > 1 {
                problems
                    .push(Problem::new(format!("{} decide the same: keep one of them", doors.join(" and "))));
            }
        }
    }

    pub(super) fn check_ways_to_sign_in(&self, more_was_meant: bool, problems: &mut Vec<Problem>) {
        let has_way = !self.providers.is_empty() || self.has_any_form() || self.email.is_some();
        if self.dev || more_was_meant || has_way {
            return;
        }
        problems.push(Problem::new(
            "there is no way to sign in: add a provider ([providers.github], or AUTH_GITHUB_ID and AUTH_GITHUB_SECRET), \
             name a `users_file`, or mail links ([email])",
        ));
    }

    /// What the library says of everything that was understood so far. What was noted already is filled in, so that
    /// it does not come up twice.
    pub(super) fn check_by_library(&self, places: &Places, document: &Document, problems: &mut Vec<Problem>) {
        let error = match self.without_callbacks(self.providers.is_empty() && !self.has_any_form()) {
            Ok(auth) => return self.check_paths(auth.base_path(), problems),
            Err(error) => error,
        };
        for problem in error.problems() {
            let (provider, message) = words::of_the_file(&problem.message);
            match provider.and_then(|id| Some((id, places.get(id)?))) {
                Some((id, span)) => document.note(span.clone(), format!("[providers.{id}]: {message}")),
                None => problems.push(Problem::new(match provider {
                    Some(id) => format!("provider {id}: {message}"),
                    None => message,
                })),
            }
        }
    }
}

impl Config {
    /// Hallpass as the settings want it, without its callbacks. It keeps nothing, since nobody has opened the database.
    ///
    /// # Errors
    /// What the library finds wrong.
    pub(crate) fn without_callbacks(&self, with_a_form: bool) -> Result<Auth, ConfigError> {
        self.without_callbacks_on(self.builder(()), with_a_form)
    }

    /// The same, with a builder of one's own.
    ///
    /// # Errors
    /// What the library finds wrong.
    pub(crate) fn without_callbacks_on(
        &self,
        builder: Builder<()>,
        with_a_form: bool,
    ) -> Result<Auth, ConfigError> {
        let mut builder = builder.store(MemoryStore::new());
        if self.lacks_secret() {
            builder = builder.secret("stands in for a secret that is missing");
        }
        let script = self.script.as_ref();
        if with_a_form || (self.has_form() && !script.is_some_and(|script| script.has_form("credentials"))) {
            builder = builder.credentials(Credentials::new(), async |_, ()| Ok(None));
        }
        for form in script.into_iter().flat_map(Script::forms) {
            builder = builder.credentials(form, async |_, ()| Ok(None));
        }
        self.add_stand_ins(self.add_email(builder)).build()
    }
}

/// What is no address at all counts as local: that is another mistake, noted elsewhere.
fn is_loopback_url(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return true };
    url.host_str().is_none_or(is_loopback_host)
}

/// Paths that are the server's, so that no base path can be one of them.
const OWN_PATHS: &[&str] = &[
    "/healthz",
    "/readyz",
    "/favicon.ico",
    "/hallpass.css",
    "/hallpass.svg",
    "/dev/update",
    "/dev/inbox",
    "/dev/inbox.json",
    "/dev/sessions",
];
