//! The settings: command line, environment, file; in this order.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hallpass::pages::ColorScheme;
use hallpass::providers::Provider;
use hallpass::{Auth, Builder, Credentials, Environment, Forwarded, PagePaths, Secret, Theme};

use crate::cli::Serve;
use crate::users::{Problem as UserProblem, Users};

mod document;
mod duration;
mod listen;
mod problem;
mod providers;
mod words;

pub(crate) use document::{Document, Section};
pub(crate) use problem::{Problem, Problems};

/// Everything that the server is told.
#[derive(Debug)]
pub(crate) struct Config {
    /// Development mode: for this machine only.
    pub(crate) dev: bool,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Somebody has chosen where to listen, so no other port will do.
    pub(crate) listen_is_chosen: bool,
    /// Public address, if that is known.
    pub(crate) url: Option<String>,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// People of the users file.
    pub(crate) users: Users,
    /// Secrets of the file; empty where the environment has some.
    pub(crate) secrets: Vec<Secret>,
    environment: Environment,
    base_path: Option<String>,
    trust_host: Option<bool>,
    forwarded: Option<Forwarded>,
    secure_cookies: Option<bool>,
    cookie_budget: Option<u32>,
    redirect_proxy_url: Option<String>,
    max_age: Option<Duration>,
    update_age: Option<Duration>,
    pages: PagePaths,
    theme: Theme,
    providers: Vec<Provider>,
}

impl Config {
    /// Reads all settings and checks them.
    ///
    /// # Errors
    /// Every mistake that there is.
    pub(crate) fn load(flags: &Serve, environment: Environment) -> Result<Self, Problems> {
        let path = flags.config.clone().or_else(|| environment.get("HALLPASS_CONFIG").map(PathBuf::from));
        let path = path.or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.is_file()));
        let document = match &path {
            Some(path) => Document::read(path).map_err(|problem| Problems(vec![problem]))?,
            None => Document::new(Path::new(""), ""),
        };
        let mut problems = Vec::new();
        let config = Self::read(flags, environment, path, &document, &mut problems);
        let mut all = document.into_problems();
        all.append(&mut problems);
        if all.is_empty() { Ok(config) } else { Err(Problems(all)) }
    }

    fn read(
        flags: &Serve,
        environment: Environment,
        file: Option<PathBuf>,
        document: &Document,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let table = document.parse();
        let mut top = document.section(&table);
        let listen = Self::read_listen(flags, &environment, &mut top, problems);
        let secrets = read_secrets(&mut top);
        let users = read_users(&mut top, problems);
        let mut config = Self {
            dev: flags.dev || (file.is_none() && !has_secret(&environment)),
            listen: listen.unwrap_or(DEFAULT_LISTEN),
            listen_is_chosen: listen.is_some(),
            url: top.text("url").map(|url| url.value),
            file,
            users,
            secrets: if has_secret(&environment) { Vec::new() } else { secrets },
            base_path: top.text("base_path").map(|path| path.value),
            trust_host: top.flag("trust_host"),
            forwarded: top.choice("forwarded", FORWARDED),
            secure_cookies: top.flag("secure_cookies"),
            cookie_budget: top.integer("cookie_budget"),
            redirect_proxy_url: top.text("redirect_proxy_url").map(|url| url.value),
            max_age: None,
            update_age: None,
            pages: PagePaths::new(),
            theme: Theme::new(),
            providers: Vec::new(),
            environment,
        };
        if let Some(mut session) = top.section("session") {
            config.max_age = session.duration("max_age");
            config.update_age = session.duration("update_age");
            session.end();
        }
        if let Some(section) = top.section("pages") {
            config.pages = read_pages(section);
        }
        if let Some(section) = top.section("theme") {
            config.theme = read_theme(section);
        }
        let providers = providers::read(&mut top, &config.environment, problems);
        config.providers = providers.found;
        top.end();
        config.take_from_environment();
        config.check_mode(problems);
        config.check_ways_to_sign_in(providers.any_left_out || document.problem_count() > 0, problems);
        config.check_by_library(&providers.places, document, problems);
        config
    }

    /// The command line wins over the environment, which wins over the file.
    fn read_listen(
        flags: &Serve,
        environment: &Environment,
        top: &mut Section<'_>,
        problems: &mut Vec<Problem>,
    ) -> Option<SocketAddr> {
        let from_file = top.text("listen");
        let given =
            [("--listen", flags.listen.as_deref()), ("HALLPASS_LISTEN", environment.get("HALLPASS_LISTEN"))];
        if let Some((name, text)) = given.into_iter().find_map(|(name, text)| Some((name, text?))) {
            return listen::parse(text)
                .map_err(|error| problems.push(Problem::new(format!("`{name}` {error}"))))
                .ok();
        }
        let found = from_file?;
        listen::parse(&found.value)
            .map_err(|error| top.document().note(found.span, format!("`listen` {error}")))
            .ok()
    }

    fn take_from_environment(&mut self) {
        if let Some(url) = self.environment.get("AUTH_URL").or_else(|| self.environment.get("NEXTAUTH_URL")) {
            self.url = Some(url.to_owned());
        }
        if self.environment.get("AUTH_TRUST_HOST").is_some() {
            self.trust_host = None;
        }
        if self.environment.get("AUTH_REDIRECT_PROXY_URL").is_some() {
            self.redirect_proxy_url = None;
        }
    }

    /// Development mode never leaves this machine; anything else must know where it is.
    fn check_mode(&self, problems: &mut Vec<Problem>) {
        let url_is_local = self.url.as_deref().is_none_or(is_loopback_url);
        let listens_locally = self.listen.ip().is_loopback();
        if self.dev {
            let way_out = "give it a configuration file, or AUTH_SECRET (`hallpass secret` makes one), and leave --dev out";
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
        let trusts = self.trust_host.is_some() || self.environment.get("AUTH_TRUST_HOST").is_some();
        if !listens_locally && self.url.is_none() && !trusts {
            problems.push(Problem::new(
                "nobody knows the public address of this server: set `url` (AUTH_URL); or, behind a proxy that sets \
                 the host, `trust_host = true` (AUTH_TRUST_HOST)",
            ));
        }
        if self.lacks_secret() {
            problems.push(Problem::new(
                "there is no secret: set `secret_file` or `secret` in the file, or AUTH_SECRET (`hallpass secret` makes one)",
            ));
        }
    }

    fn check_ways_to_sign_in(&self, more_was_meant: bool, problems: &mut Vec<Problem>) {
        if self.dev || more_was_meant || !self.providers.is_empty() || !self.users.is_empty() {
            return;
        }
        problems.push(Problem::new(
            "there is no way to sign in: add a provider ([providers.github], or AUTH_GITHUB_ID and AUTH_GITHUB_SECRET), \
             or name a `users_file`",
        ));
    }

    /// What the library says of everything that was understood so far. What was noted already is filled in, so that
    /// it does not come up twice.
    fn check_by_library(&self, places: &providers::Places, document: &Document, problems: &mut Vec<Problem>) {
        let mut builder = self.builder(());
        if self.lacks_secret() {
            builder = builder.secret("stands in for a secret that is missing");
        }
        if self.has_form() || self.providers.is_empty() {
            builder = builder.credentials(Credentials::new(), async |_, ()| Ok(None));
        }
        let Err(error) = builder.build() else { return };
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
        if self.base_path.as_deref().is_some_and(|path| OWN_PATHS.contains(&path.trim_end_matches('/'))) {
            problems.push(Problem::new(format!("`base_path` must not be one of {}", OWN_PATHS.join(", "))));
        }
    }

    /// Whether people can sign in with a name and a password.
    pub(crate) fn has_form(&self) -> bool {
        self.dev || !self.users.is_empty()
    }

    /// Whether no secret was given: development mode makes one.
    pub(crate) fn lacks_secret(&self) -> bool {
        self.secrets.is_empty() && !has_secret(&self.environment)
    }

    /// The names of the providers, for people.
    pub(crate) fn provider_names(&self) -> impl Iterator<Item = &str> {
        self.providers.iter().map(Provider::name)
    }

    /// Everything that is a setting of the library.
    pub(crate) fn builder<S: Clone + Send + Sync + 'static>(&self, state: S) -> Builder<S> {
        let mut builder = Auth::builder_with(state)
            .environment(self.environment.clone())
            .pages(self.pages.clone())
            .theme(self.theme.clone());
        if !self.secrets.is_empty() {
            builder = builder.secrets(self.secrets.clone());
        }
        if let Some(url) = &self.url {
            builder = builder.url(url);
        }
        if let Some(path) = &self.base_path {
            builder = builder.base_path(path);
        }
        if let Some(trust) = self.trust_host {
            builder = builder.trust_host(trust);
        }
        if let Some(forwarded) = self.forwarded {
            builder = builder.forwarded(forwarded);
        }
        if let Some(secure) = self.secure_cookies {
            builder = builder.use_secure_cookies(secure);
        }
        if let Some(bytes) = self.cookie_budget {
            builder = builder.cookie_budget(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        if let Some(url) = &self.redirect_proxy_url {
            builder = builder.redirect_proxy_url(url);
        }
        if let Some(max_age) = self.max_age {
            builder = builder.session_max_age(max_age);
        }
        if let Some(update_age) = self.update_age {
            builder = builder.jwt_update_age(update_age);
        }
        self.providers.iter().fold(builder, |builder, provider| builder.provider(provider.clone()))
    }
}

/// `secrets`, `secret` or `secret_file`: one of them.
fn read_secrets(top: &mut Section<'_>) -> Vec<Secret> {
    let one = top.text("secret");
    let file = top.text("secret_file");
    let list = top.texts("secrets");
    if [one.is_some(), file.is_some(), list.is_some()].into_iter().filter(|given| *given).count() > 1 {
        top.note("`secret`, `secret_file` and `secrets` say the same: keep one of them");
    }
    if let Some(secret) = one {
        return vec![Secret::from(secret.value)];
    }
    if let Some(list) = list {
        return list.into_iter().map(Secret::from).collect();
    }
    file.and_then(|file| read_secret_file(top.document(), &file)).into_iter().collect()
}

/// The text of a file, without the line break at its end.
fn read_secret_file(document: &Document, file: &document::Found<String>) -> Option<Secret> {
    let path = document.resolve(&file.value);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Secret::from(text),
        Err(error) => {
            document.note(file.span.clone(), format!("{} cannot be read: {error}", path.display()));
            return None;
        }
    };
    let trimmed = text.expose().trim_end_matches(['\r', '\n']);
    if trimmed.trim().is_empty() {
        document.note(file.span.clone(), format!("{} is empty", path.display()));
        return None;
    }
    Some(Secret::from(trimmed))
}

fn read_users(top: &mut Section<'_>, problems: &mut Vec<Problem>) -> Users {
    let Some(file) = top.text("users_file") else { return Users::default() };
    let path = top.document().resolve(&file.value);
    match Users::read(&path) {
        Ok(users) => users,
        Err(UserProblem::Unreadable(problem)) => {
            top.document().note(file.span, problem.to_string());
            Users::default()
        }
        Err(UserProblem::Wrong(wrong)) => {
            problems.extend(wrong);
            Users::default()
        }
    }
}

fn read_pages(mut section: Section<'_>) -> PagePaths {
    let mut pages = PagePaths::new();
    let setters: [(&str, fn(PagePaths, String) -> PagePaths); 5] = [
        ("sign_in", PagePaths::sign_in),
        ("sign_out", PagePaths::sign_out),
        ("error", PagePaths::error),
        ("verify_request", PagePaths::verify_request),
        ("new_user", PagePaths::new_user),
    ];
    for (key, set) in setters {
        if let Some(page) = section.text(key) {
            pages = set(pages, page.value);
        }
    }
    section.end();
    pages
}

fn read_theme(mut section: Section<'_>) -> Theme {
    let mut theme = Theme::new();
    let setters: [(&str, fn(Theme, String) -> Theme); 4] = [
        ("title", Theme::title),
        ("logo", Theme::logo),
        ("brand_color", Theme::brand_color),
        ("button_text", Theme::button_text),
    ];
    for (key, set) in setters {
        if let Some(text) = section.text(key) {
            theme = set(theme, text.value);
        }
    }
    if let Some(scheme) = section.choice("color_scheme", COLOR_SCHEMES) {
        theme = theme.color_scheme(scheme);
    }
    section.end();
    theme
}

fn has_secret(environment: &Environment) -> bool {
    let names = ["AUTH_SECRET", "AUTH_SECRET_1", "AUTH_SECRET_2", "AUTH_SECRET_3", "NEXTAUTH_SECRET"];
    names.iter().any(|name| environment.get(name).is_some())
}

/// What is no address at all counts as local: that is another mistake, noted elsewhere.
fn is_loopback_url(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return true };
    url.host_str().is_none_or(is_loopback_host)
}

/// Whether a host is this machine, by its name or address.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare.ends_with(".localhost")
        || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

const DEFAULT_FILE: &str = "hallpass.toml";

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

const FORWARDED: &[(&str, Forwarded)] =
    &[("proto-and-host", Forwarded::ProtoAndHost), ("proto", Forwarded::Proto), ("none", Forwarded::Ignored)];

const COLOR_SCHEMES: &[(&str, ColorScheme)] =
    &[("auto", ColorScheme::Auto), ("light", ColorScheme::Light), ("dark", ColorScheme::Dark)];

/// Paths that are the server's, so that no base path can be one of them.
const OWN_PATHS: &[&str] = &["/health", "/favicon.ico", "/hallpass.css", "/hallpass.svg", "/dev/update"];

#[cfg(test)]
mod tests;
