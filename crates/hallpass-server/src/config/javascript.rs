//! The configuration in JavaScript: where it is, what it may, and what it says.

use std::path::{Path, PathBuf};

use hallpass::Strategy;
use url::{Origin, Url};

use super::Config;
use super::document::Section;
use super::problem::Problem;
use crate::cli::Serve;
use crate::js::{Limits, Loading, Script, find};

/// `[javascript]` and `[fetch]`.
#[derive(Debug, Default)]
pub(super) struct Javascript {
    /// A file other than the one that is found.
    file: Option<PathBuf>,
    loading: Loading,
}

pub(super) fn read(top: &mut Section<'_>) -> Javascript {
    let mut javascript = Javascript::default();
    let loading = &mut javascript.loading;
    if let Some(mut section) = top.section("javascript") {
        javascript.file = section.text("file").map(|file| section.document().resolve(&file.value));
        loading.query = section.texts("query").unwrap_or_default();
        loading.variables = section.texts("env").unwrap_or_default();
        if let Some(time) = section.duration("time_limit") {
            loading.limits.time = time;
        }
        if let Some(megabytes) = section.integer("memory_limit") {
            loading.limits.memory =
                usize::try_from(megabytes).unwrap_or(usize::MAX).saturating_mul(1024 * 1024);
        }
        let Limits { time, memory } = loading.limits;
        if time.is_zero() || time.as_secs() >= 10 {
            section.note("`javascript.time_limit` must be less than 10 seconds, and not 0");
        }
        if memory < 8 * 1024 * 1024 {
            section.note("`javascript.memory_limit` is in MiB, and at least 8");
        }
        section.end();
    }
    if let Some(mut section) = top.section("fetch") {
        if let Some(base) = section.text("base_url") {
            loading.base_url = parse(&base.value);
            if loading.base_url.is_none() {
                section.document().note(base.span, "`fetch.base_url` must be an http or https address");
            }
        }
        if let Some(allowed) = section.texts("allow") {
            let origins: Option<Vec<Origin>> = allowed
                .iter()
                .map(|origin| parse(origin).filter(is_origin).map(|url| url.origin()))
                .collect();
            if origins.is_none() {
                section.note("`fetch.allow` must hold origins, such as \"https://api.example.com\"");
            }
            loading.allowed = origins;
        }
        if let Some(time) = section.duration("timeout") {
            if time.is_zero() || time.as_secs() >= 10 {
                section.note_key("timeout", "`fetch.timeout` must be less than 10 seconds, and not 0");
            }
            loading.fetch.total = time;
            loading.fetch.connect = loading.fetch.connect.min(time);
        }
        if let Some(bytes) = section.integer("max_body") {
            loading.fetch.body = usize::try_from(bytes).unwrap_or(usize::MAX);
            if bytes == 0 || loading.fetch.body > loading.limits.memory / 4 {
                section.note_key(
                    "max_body",
                    "`fetch.max_body` is in bytes, and at most a quarter of `javascript.memory_limit`",
                );
            }
        }
        section.end();
    }
    javascript
}

impl Config {
    /// Loads the file, and takes over what it says where the other settings say nothing.
    pub(super) fn load_script(&mut self, flags: &Serve, javascript: Javascript, problems: &mut Vec<Problem>) {
        let folder = self.file.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new("")).to_owned();
        let chosen = flags.callbacks.clone().or(javascript.file);
        self.script_path = chosen.or_else(|| find(&folder)).or_else(|| find(Path::new("")));
        let Some(path) = self.script_path.clone() else { return };
        let url = self.url.as_deref().and_then(parse);
        let local = || Url::parse(&format!("http://{}", self.listen)).ok();
        let mut loading = javascript.loading;
        loading.dev = self.dev;
        loading.base_url = loading.base_url.or_else(|| url.clone()).or_else(local);
        loading.url = url;
        let loaded = Script::load(&path, loading, &self.environment)
            .and_then(|script| script.providers(&self.environment).map(|providers| (script, providers)));
        match loaded {
            Ok((script, providers)) => {
                for provider in providers {
                    // What the file of settings says of a provider counts.
                    if self.providers.iter().all(|known| known.id() != provider.id()) {
                        self.providers.push(provider);
                    }
                }
                self.script = Some(script);
                self.take_over();
            }
            Err(fault) if self.dev => self.broken_script = Some(fault),
            Err(fault) => problems.push(Problem::new(fault.to_string())),
        }
    }

    fn take_over(&mut self) {
        let Some(script) = self.script.clone() else { return };
        let said = script.description();
        if self.lacks_secret() {
            self.secrets = said.secrets.iter().map(|secret| secret.as_str().into()).collect();
        }
        self.max_age = self.max_age.or(said.max_age);
        self.update_age =
            self.update_age.or_else(|| said.update_age.filter(|_| said.strategy == Some(Strategy::Database)));
        let environment = &self.environment;
        if environment.get("AUTH_TRUST_HOST").is_none() {
            self.trust_host = self.trust_host.or(said.trust_host);
        }
        self.secure_cookies = self.secure_cookies.or(said.secure_cookies);
        if self.base_path.is_none() {
            self.base_path.clone_from(&said.base_path);
        }
        if self.redirect_proxy_url.is_none() && environment.get("AUTH_REDIRECT_PROXY_URL").is_none() {
            self.redirect_proxy_url.clone_from(&said.redirect_proxy_url);
        }
        self.cookies.clone_from(&said.cookies);
        // A configuration of Auth.js without an adapter means tokens where it says nothing.
        self.strategy = self.strategy.or(said.strategy).or(Some(Strategy::Jwt));
    }

    /// What the configuration in JavaScript says.
    pub(super) fn described(&self) -> Option<&crate::js::Description> {
        self.script.as_ref().map(Script::description)
    }
}

fn parse(url: &str) -> Option<Url> {
    Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn is_origin(url: &Url) -> bool {
    url.path() == "/" && url.query().is_none() && url.fragment().is_none()
}
