//! `hallpass check`: the settings, without asking anybody.

use std::fmt::Write;

use hallpass::{Auth, ConfiguredProvider, Environment, Strategy};
use serde_json::{Value, json};

use super::{base, origin, variables};
use crate::Failure;
use crate::admin::Printer;
use crate::cli::Check;
use crate::config::{Config, Problem, Problems};
use crate::js::Script;

pub(crate) fn check(arguments: &Check) -> Result<(), Failure> {
    let printer = Printer { json: arguments.json };
    match read(arguments) {
        Ok((config, auth)) => {
            let found = Found::new(&config, &auth);
            printer.answer(&found.json(), &found.text())
        }
        Err(problems) if arguments.json => {
            printer.answer(&json!({ "ok": false, "problems": problems }), "")?;
            Err(Failure::Told(2))
        }
        Err(problems) => Err(problems.into()),
    }
}

/// # Errors
/// Everything that is wrong.
pub(crate) fn read(arguments: &Check) -> Result<(Config, Auth), Problems> {
    let config = Config::load(&arguments.flags(), Environment::of_process())?;
    if let Some(fault) = &config.broken_script {
        return Err(Problems::new(vec![Problem::new(fault.to_string())]));
    }
    let auth = config.without_callbacks(false).map_err(|error| {
        Problems::new(error.problems().iter().map(|problem| Problem::new(problem.message.clone())).collect())
    })?;
    Ok((config, auth))
}

/// What the settings mean.
struct Found<'a> {
    config: &'a Config,
    base: String,
    /// Whether the address is that of the site, and no example.
    is_known: bool,
    providers: Vec<ConfiguredProvider>,
    warnings: Vec<String>,
}

impl<'a> Found<'a> {
    fn new(config: &'a Config, auth: &Auth) -> Self {
        let (origin, is_known) = origin(config);
        let slips = variables::slips(config.environment(), Some(auth)).into_iter();
        let warnings =
            slips.map(|(set, meant)| format!("{set} is set, and read by nobody: did you mean {meant}?"));
        let providers = auth.providers(&origin);
        Self { config, base: base(auth, &origin), is_known, providers, warnings: warnings.collect() }
    }

    fn mode(&self) -> &'static str {
        if self.config.dev { "development" } else { "server" }
    }

    fn strategy(&self) -> &'static str {
        match self.config.strategy() {
            Strategy::Jwt => "jwt",
            _ => "database",
        }
    }

    fn json(&self) -> Value {
        let config = self.config;
        let providers: Vec<_> =
            self.providers.iter().map(|it| provider(it, config.stands_in_for(&it.id))).collect();
        let callbacks = config.script.as_ref().map(|script| {
            let (callbacks, events) = script.names();
            json!({ "file": config.script_path, "callbacks": callbacks, "events": events })
        });
        json!({
            "ok": true,
            "mode": self.mode(),
            "file": config.file,
            "listen": config.listen,
            "url": self.is_known.then_some(&self.base),
            "database": { "place": config.database.place, "redis": config.database.redis.is_some() },
            "strategy": self.strategy(),
            "providers": providers,
            "callbacks": callbacks,
            "warnings": self.warnings,
        })
    }

    fn text(&self) -> String {
        let config = self.config;
        let mut text = match (&config.file, config.dev) {
            (Some(file), _) => format!("{} is right\n", file.display()),
            (None, true) => "there is no hallpass.toml: this is development mode\n".to_owned(),
            (None, false) => "the environment is right; there is no hallpass.toml\n".to_owned(),
        };
        // Writing to a String does not fail.
        let _ = writeln!(text, "  mode          {}", self.mode());
        match self.is_known {
            true => _ = writeln!(text, "  address       {}", self.base),
            false => text.push_str("  address       as the proxy names it: `url` is not set\n"),
        }
        let _ = writeln!(text, "  listens at    {}", config.listen);
        let redis = if config.database.redis.is_some() { "; sessions in Redis" } else { "" };
        let _ = writeln!(text, "  users in      {}{redis}", config.database.place);
        let kept = match config.strategy() {
            Strategy::Jwt => "in encrypted cookies (jwt)",
            _ => "in the database",
        };
        let _ = writeln!(text, "  sessions      {kept}");
        if let (Some(script), Some(path)) = (&config.script, &config.script_path) {
            let _ = writeln!(text, "  callbacks     {}: {}", path.display(), names(script));
        }
        for provider in &self.providers {
            let how = if config.stands_in_for(&provider.id) { ", a stand-in" } else { "" };
            let _ = writeln!(text, "  sign-in       {} ({}){how}", provider.name, provider.id);
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "  warning       {warning}");
        }
        let real = self.providers.iter().filter(|it| !config.stands_in_for(&it.id));
        let registered: Vec<_> = real.filter_map(|it| Some((&it.name, it.redirect_uri.as_ref()?))).collect();
        if !registered.is_empty() {
            text.push_str("\nTo be registered as redirect URI (callback URL) at\n");
            let width = registered.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
            for (name, uri) in registered {
                let _ = writeln!(text, "  {name:<width$}  {uri}");
            }
        }
        text
    }
}

fn provider(provider: &ConfiguredProvider, is_stand_in: bool) -> Value {
    json!({
        "id": provider.id,
        "name": provider.name,
        "type": provider.kind.as_str(),
        "redirectUri": provider.redirect_uri,
        "standIn": is_stand_in,
    })
}

fn names(script: &Script) -> String {
    let (callbacks, events) = script.names();
    let events = events.iter().map(|event| format!("events.{event}"));
    let all: Vec<_> = callbacks.iter().cloned().chain(events).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}
