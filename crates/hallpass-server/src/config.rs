//! The settings: command line, environment, file; in this order.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hallpass::providers::Provider;
use hallpass::{
    Auth, Builder, CookieKind, CookieOptions, Dialect, Environment, Forwarded, PagePaths, Secret, Strategy,
    Theme,
};

use crate::cel::Expressions;
use crate::cli::Serve;
use crate::dev::{Inbox, StandIn};
use crate::js::{Fault, Script};
use crate::log::Format;
use crate::users::Users;
use crate::webhooks::Webhooks;

mod check;
mod database;
mod document;
mod duration;
mod edge;
mod email;
mod expressions;
mod environment;
mod javascript;
mod listen;
mod looks;
mod operation;
mod problem;
mod providers;
mod schema;
mod sections;
mod webhooks;
mod stand_in;
mod words;

use database::DatabaseSettings;
pub(crate) use document::{Document, Section, nearest};
pub(crate) use edge::EdgeSettings;
use email::MailSettings;
pub(crate) use email::Sending;
use looks::Looks;
use operation::Operation;
pub(crate) use problem::{Problem, Problems};
pub(crate) use providers::open_places;
pub(crate) use schema::SCHEMA;
use sections::{read_pages, read_secrets, read_users};

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
    /// The configuration in JavaScript, if there is one.
    pub(crate) script: Option<Script>,
    /// What is wrong with it, in development mode; otherwise the server does not start.
    pub(crate) broken_script: Option<Fault>,
    /// Callbacks that another server answers.
    pub(crate) webhooks: Option<Arc<Webhooks>>,
    /// Expressions of the settings.
    pub(crate) expressions: Option<Arc<Expressions>>,
    /// Where it is, or would be.
    pub(crate) script_path: Option<PathBuf>,
    /// Secrets of the file; empty where the environment has some.
    pub(crate) secrets: Vec<Secret>,
    /// Where users and sessions are kept.
    pub(crate) database: DatabaseSettings,
    /// How it runs.
    pub(crate) operation: Operation,
    /// Files that hold something secret.
    pub(crate) secret_files: Vec<PathBuf>,
    /// What strangers may do, and who may speak for them.
    pub(crate) edge: EdgeSettings,
    environment: Environment,
    base_path: Option<String>,
    trust_host: Option<bool>,
    forwarded: Option<Forwarded>,
    secure_cookies: Option<bool>,
    dialects: Option<Vec<Dialect>>,
    cookie_budget: Option<u32>,
    redirect_proxy_url: Option<String>,
    strategy: Option<Strategy>,
    max_age: Option<Duration>,
    update_age: Option<Duration>,
    absolute_max_age: Option<Duration>,
    cache_for: Option<Duration>,
    client_retention: Option<Duration>,
    pages: PagePaths,
    theme: Theme,
    looks: Looks,
    providers: Vec<Provider>,
    email: Option<MailSettings>,
    /// In development mode, for providers without a client.
    stand_in: Option<StandIn>,
    cookies: Vec<(CookieKind, CookieOptions)>,
}

impl Config {
    /// Reads all settings and checks them.
    ///
    /// # Errors
    /// Every mistake that there is.
    pub(crate) fn load(flags: &Serve, environment: Environment) -> Result<Self, Problems> {
        let (config, problems) = Self::load_as_far_as_possible(flags, environment)?;
        problems.map_or(Ok(config), Err)
    }

    /// The same, with what could be understood of settings that are wrong.
    ///
    /// # Errors
    /// When there is a file and it cannot be read at all.
    pub(crate) fn load_as_far_as_possible(
        flags: &Serve,
        environment: Environment,
    ) -> Result<(Self, Option<Problems>), Problems> {
        let path = file(flags, &environment);
        let document = match &path {
            Some(path) => Document::read(path).map_err(|problem| Problems::new(vec![problem]))?,
            None => Document::new(Path::new(""), ""),
        };
        let mut problems = Vec::new();
        let mut config = Self::read(flags, environment, path, &document, &mut problems);
        config.secret_files = document.secret_files();
        let mut all = document.into_problems();
        all.append(&mut problems);
        let problems = if all.is_empty() { None } else { Some(Problems::new(all)) };
        Ok((config, problems))
    }

    /// Where a server with these settings listens. What is wrong with them otherwise is not for whoever asks this.
    ///
    /// # Errors
    /// When that cannot be read.
    pub(crate) fn listen(flags: &Serve, environment: &Environment) -> Result<SocketAddr, Problems> {
        let document = match file(flags, environment) {
            Some(path) => Document::read(&path).map_err(|problem| Problems::new(vec![problem]))?,
            None => Document::new(Path::new(""), ""),
        };
        let table = document.parse();
        let mut problems = Vec::new();
        let listen = Self::read_listen(flags, environment, &mut document.section(&table), &mut problems);
        problems.append(&mut document.into_problems());
        if problems.is_empty() { Ok(listen.unwrap_or(DEFAULT_LISTEN)) } else { Err(Problems::new(problems)) }
    }

    /// How lines of the log look: needed before anything else is read.
    pub(crate) fn log_format(flags: &Serve, environment: &Environment) -> Format {
        let document = file(flags, environment).and_then(|path| Document::read(&path).ok());
        operation::log_format(&document.unwrap_or_else(|| Document::new(Path::new(""), "")), environment)
    }

    fn read(
        flags: &Serve,
        environment: Environment,
        file: Option<PathBuf>,
        document: &Document,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let environment = environment::with_files(environment, problems);
        let table = document.parse();
        let mut top = document.section(&table);
        let listen = Self::read_listen(flags, &environment, &mut top, problems);
        let secrets = read_secrets(&mut top);
        let users = read_users(&mut top, problems);
        let dev = flags.dev || (file.is_none() && !has_secret(&environment));
        let database = database::read(&mut top, &environment, dev, problems);
        let edge = edge::read(&mut top, &environment, dev, problems);
        let mut config = Self {
            dev,
            listen: listen.unwrap_or(DEFAULT_LISTEN),
            listen_is_chosen: listen.is_some(),
            url: top.text("url").map(|url| url.value),
            file,
            users,
            secrets: if has_secret(&environment) { Vec::new() } else { secrets },
            database,
            edge,
            operation: operation::read(&mut top, &environment, problems),
            base_path: top.text("base_path").map(|path| path.value),
            trust_host: top.flag("trust_host"),
            forwarded: top.choice("forwarded", FORWARDED),
            secure_cookies: top.flag("secure_cookies"),
            dialects: top.choices("dialects", DIALECTS),
            cookie_budget: top.integer("cookie_budget"),
            redirect_proxy_url: top.text("redirect_proxy_url").map(|url| url.value),
            strategy: None,
            max_age: None,
            update_age: None,
            absolute_max_age: None,
            cache_for: None,
            client_retention: None,
            pages: PagePaths::new(),
            theme: Theme::new(),
            looks: Looks::default(),
            providers: Vec::new(),
            email: None,
            stand_in: None,
            cookies: Vec::new(),
            script: None,
            broken_script: None,
            script_path: None,
            secret_files: Vec::new(),
            webhooks: None,
            expressions: None,
            environment,
        };
        if let Some(mut session) = top.section("session") {
            config.strategy = session.choice("strategy", STRATEGIES);
            config.max_age = session.duration("max_age");
            config.update_age = session.duration("update_age");
            config.absolute_max_age = session.duration("absolute_max_age");
            config.cache_for = session.duration("cache_for");
            config.client_retention = session.duration("client_retention");
            session.end();
        }
        let pages = top.section("pages").map(read_pages);
        config.looks = top.section("theme").map(|section| looks::read(section, problems)).unwrap_or_default();
        let loading = javascript::read(&mut top);
        config.webhooks = top.section("webhooks").and_then(webhooks::read);
        config.expressions = expressions::read(&mut top);
        let section = top.section("email");
        let has_mails = section.is_some();
        config.email = email::read(section, &config.environment, config.dev);
        let providers = providers::read(&mut top, &config.environment, problems);
        config.providers = providers.found;
        let stand_in = stand_in::read(&mut top, config.dev);
        top.end();
        config.take_from_environment();
        config.load_script(flags, loading, problems);
        if !has_mails {
            config.take_mail_provider(problems);
        }
        config.read_stand_in(&stand_in, problems);
        config.pages = pages.or_else(|| config.described()?.pages.clone()).unwrap_or_default();
        let theme = config.looks.theme.clone();
        config.theme = theme.or_else(|| config.described()?.theme.clone()).unwrap_or_default();
        config.check_doors(problems);
        config.check_mode(problems);
        config.check_edge(problems);
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

    /// Whether only the listed proxies say what the public address is.
    pub(crate) fn host_comes_from_proxies(&self) -> bool {
        self.edge.proxies.is_some() && self.url.is_none()
    }

    /// Whether people can sign in with a name and a password.
    pub(crate) fn has_form(&self) -> bool {
        self.dev || !self.users.is_empty()
    }

    /// Whether people can sign in with a form at all.
    fn has_any_form(&self) -> bool {
        self.has_form() || self.script.as_ref().is_some_and(Script::has_forms)
    }

    /// Whether no secret was given: development mode makes one.
    pub(crate) fn lacks_secret(&self) -> bool {
        self.secrets.is_empty() && !has_secret(&self.environment)
    }

    /// Where sessions are kept.
    pub(crate) fn strategy(&self) -> Strategy {
        // There always is a store.
        self.strategy.unwrap_or(Strategy::Database)
    }

    /// Whether a proxy is believed that names the host.
    pub(crate) fn trusts_host(&self) -> bool {
        let trusts = |text: &str| !matches!(text.to_ascii_lowercase().as_str(), "false" | "0" | "no" | "off");
        self.environment.get("AUTH_TRUST_HOST").map_or_else(|| self.trust_host == Some(true), trusts)
    }

    /// The names of the providers that are real, for people.
    pub(crate) fn provider_names(&self) -> impl Iterator<Item = &str> {
        let is_real = |provider: &&Provider| !self.stands_in_for(provider.id());
        self.providers.iter().filter(is_real).map(Provider::name)
    }

    /// The names of those that are not, for people.
    pub(crate) fn stand_in_names(&self) -> impl Iterator<Item = &'static str> {
        self.stand_in().into_iter().flat_map(StandIn::names)
    }

    /// Whether the server stands in for a provider.
    pub(crate) fn stands_in_for(&self, id: &str) -> bool {
        self.stand_in().is_some_and(|stand_in| stand_in.covers(id))
    }

    /// Stands in for providers, in development mode.
    pub(crate) fn stand_in(&self) -> Option<&StandIn> {
        self.stand_in.as_ref()
    }

    /// What sends the mails.
    pub(crate) fn mail_sending(&self) -> Option<&Sending> {
        self.email.as_ref().map(|email| &email.sending)
    }

    /// The variables, with what is in the files that some of them name.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Whether cookies are `Secure`, where that does not follow from the address.
    pub(crate) fn secure_cookies(&self) -> Option<bool> {
        self.secure_cookies
    }

    /// Where mails stay that development mode does not send.
    pub(crate) fn inbox(&self) -> Option<&Inbox> {
        match self.email.as_ref()?.sending {
            Sending::Inbox(ref inbox) => Some(inbox),
            Sending::Smtp(_) | Sending::Service(_) => None,
        }
    }

    /// Where templates and style are, or would be.
    pub(crate) fn looks_files(&self) -> impl Iterator<Item = PathBuf> {
        self.looks.files()
    }

    /// The secrets, wherever they come from, newest first.
    pub(crate) fn all_secrets(&self) -> Vec<Secret> {
        if self.secrets.is_empty() { self.environment.secrets() } else { self.secrets.clone() }
    }

    /// Whether what is open for one of them will do for the other.
    pub(crate) fn has_same_store(&self, other: &Self) -> bool {
        let (old, new) = (self.all_secrets(), other.all_secrets());
        let are_same = |(old, new): (&Secret, &Secret)| old.expose() == new.expose();
        old.len() == new.len() && old.iter().zip(&new).all(are_same) && self.database.is_same(&other.database)
    }

    /// Adds sign-in by magic link, behind the other ways.
    pub(crate) fn add_email<S: Clone + Send + Sync + 'static>(&self, builder: Builder<S>) -> Builder<S> {
        match &self.email {
            Some(mails) => mails.add_to(builder),
            None => builder,
        }
    }

    /// Adds the providers that nobody has configured and development mode stands in for, behind everything else.
    pub(crate) fn add_stand_ins<S: Clone + Send + Sync + 'static>(&self, builder: Builder<S>) -> Builder<S> {
        let is_new = |provider: &Provider| self.providers.iter().all(|known| known.id() != provider.id());
        let more = self.stand_in().into_iter().flat_map(StandIn::providers).filter(is_new);
        more.fold(builder, Builder::provider)
    }

    /// Everything that is a setting of the library, but for the store, [`add_email`](Self::add_email) and
    /// [`add_stand_ins`](Self::add_stand_ins).
    pub(crate) fn builder<S: Clone + Send + Sync + 'static>(&self, state: S) -> Builder<S> {
        let mut builder = Auth::builder_with(state)
            .environment(self.environment.clone())
            // Clients of both: next-auth 4 and nuxt-auth ask in the words of v4.
            .dialects(self.dialects.clone().unwrap_or_else(|| vec![Dialect::V5, Dialect::V4]))
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
        // Whom the host is believed is settled before the library sees a request.
        let is_settled = self.host_comes_from_proxies() && self.environment.get("AUTH_TRUST_HOST").is_none();
        if let Some(trust) = self.trust_host.or_else(|| is_settled.then_some(true)) {
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
            builder = builder.jwt_update_age(update_age).session_update_age(update_age);
        }
        if let Some(strategy) = self.strategy {
            builder = builder.session_strategy(strategy);
        }
        if let Some(max_age) = self.absolute_max_age {
            builder = builder.session_absolute_max_age(max_age);
        }
        builder = builder.session_client_retention(self.client_retention);
        if let Some(time) = self.cache_for.filter(|time| !time.is_zero()) {
            builder = builder.cache_for(time);
        }
        builder = builder.development(self.dev);
        builder = self.looks.add_to(builder);
        for (kind, options) in &self.cookies {
            builder = builder.cookie(*kind, options.clone());
        }
        let builder = self.edge.cookies.add_to(builder, &self.cookies);
        let guarded = self.edge.forward_auth.iter().flat_map(|settings| &settings.origins);
        let builder = builder.trusted_origins(&self.edge.cors).redirect_origins(guarded);
        self.providers.iter().fold(builder, |builder, provider| {
            builder.provider(match self.stand_in() {
                Some(stand_in) => stand_in.in_place_of(provider),
                None => provider.clone(),
            })
        })
    }
}

/// The file with the settings, if there is one.
fn file(flags: &Serve, environment: &Environment) -> Option<PathBuf> {
    let path = flags.config.clone().or_else(|| environment.get("HALLPASS_CONFIG").map(PathBuf::from));
    path.or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.is_file()))
}

fn has_secret(environment: &Environment) -> bool {
    let names = ["AUTH_SECRET", "AUTH_SECRET_1", "AUTH_SECRET_2", "AUTH_SECRET_3", "NEXTAUTH_SECRET"];
    names.iter().any(|name| environment.get(name).is_some())
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

const STRATEGIES: &[(&str, Strategy)] = &[("database", Strategy::Database), ("jwt", Strategy::Jwt)];

const DIALECTS: &[(&str, Dialect)] = &[("v5", Dialect::V5), ("v4", Dialect::V4)];

const FORWARDED: &[(&str, Forwarded)] =
    &[("proto-and-host", Forwarded::ProtoAndHost), ("proto", Forwarded::Proto), ("none", Forwarded::Ignored)];

#[cfg(test)]
mod tests;
