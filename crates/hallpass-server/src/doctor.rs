//! `hallpass doctor`: tries everything that the settings name, and says what is wrong and how to mend it.

use std::time::Duration;

use hallpass::{Auth, Environment};
use serde_json::json;
use tokio::time::timeout;
use url::Url;

use crate::Failure;
use crate::admin::Printer;
use crate::cli::Doctor;
use crate::config::Config;
use crate::setup::origin;

mod client;
mod clock;
mod cors;
mod database;
mod files;
mod finding;
mod mail;
mod providers;
mod secrets;
mod settings;
mod site;

use client::Asking;
use finding::{Finding, Verdict};

pub(crate) fn doctor(arguments: &Doctor) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let findings = runtime.map_err(Failure::other)?.block_on(examine(arguments));
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (problems, warnings) = (count(Verdict::Problem), count(Verdict::Warning));
    let mut text: String = findings.iter().map(Finding::text).collect();
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    text.push_str(&format!("\n{}, {}\n", plural(problems, "problem"), plural(warnings, "warning")));
    let printer = Printer { json: arguments.settings.json };
    printer.answer(&json!({ "ok": problems == 0, "findings": findings }), &text)?;
    if problems == 0 { Ok(()) } else { Err(Failure::Told(1)) }
}

/// Everything is tried, whatever fails.
async fn examine(arguments: &Doctor) -> Vec<Finding> {
    let mut findings = Vec::new();
    let read = Config::load_as_far_as_possible(&arguments.settings.flags(), Environment::of_process());
    let (config, wrong) = match read {
        Ok(read) => read,
        Err(problems) => return settings::problems(&problems).collect(),
    };
    let limit = Duration::from_secs(arguments.timeout);
    let asking = Asking::new(limit);
    let auth = config.without_callbacks_on(config.builder(()).http_client(asking.clone()), false).ok();
    findings.extend(settings::findings(&config, wrong.as_ref(), auth.as_ref()));
    findings.extend(secrets::findings(&config));
    findings.extend(files::findings(&config));
    let place = Place::new(arguments, &config, auth.as_ref());
    let (mut site, mut providers, mut database, mut redis, mut mail) = tokio::join!(
        within(limit, "address", site::findings(&config, &asking, &place, auth.as_ref())),
        within(limit, "providers", providers::findings(&config, &asking, &place, auth.as_ref())),
        within(limit, "database", database::findings(&config)),
        within(limit, "redis", database::redis(&config)),
        within(limit, "mail", mail::findings(&config)),
    );
    findings.append(&mut site);
    findings.append(&mut providers);
    findings.extend(clock::findings(&asking));
    findings.append(&mut database);
    findings.append(&mut redis);
    findings.append(&mut mail);
    findings
}

/// Where the site is.
struct Place {
    /// `https://app.example.com`
    origin: String,
    /// The address below which Hallpass answers.
    base: String,
    /// Nobody has said where the site is.
    is_unknown: bool,
    /// It was said on the command line: what the server says of itself comes from the proxy's headers.
    is_from_proxy: bool,
}

impl Place {
    fn new(arguments: &Doctor, config: &Config, auth: Option<&Auth>) -> Self {
        let (found, is_known) = origin(config);
        let said = arguments.url.as_deref().and_then(|url| Url::parse(url).ok());
        let is_from_proxy = said.is_some() && config.url.is_none();
        let origin =
            said.filter(|_| config.url.is_none()).map_or(found, |url| url.origin().ascii_serialization());
        let base = format!("{origin}{}", auth.map_or("/api/auth", |auth| auth.base_path()));
        Self { origin, base, is_unknown: !is_known && !is_from_proxy, is_from_proxy }
    }

    fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    fn host(&self) -> String {
        let url = Url::parse(&self.origin).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// A check that hangs is a problem itself. Each asks several times at most.
async fn within(
    limit: Duration,
    check: &'static str,
    work: impl Future<Output = Vec<Finding>>,
) -> Vec<Finding> {
    timeout(limit * 4, work).await.unwrap_or_else(|_| {
        vec![Finding::problem(
            check,
            "no answer in time",
            "look at the network, or wait longer with --timeout",
        )]
    })
}
