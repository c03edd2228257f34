//! Where users and sessions are kept: `[database]`, `[redis]`, and what the environment adds.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hallpass::{Environment, Secret};
use hallpass_sqlx::TableMap;

use super::document::{Document, Section};
use super::problem::Problem;
use super::sections::read_text_or_file;

/// Which database, with whose tables, and what stands in front of it.
#[derive(Debug)]
pub(crate) struct DatabaseSettings {
    /// It may hold a password.
    pub(crate) url: Secret,
    /// For people: which database it is, without names and passwords.
    pub(crate) place: String,
    /// Nobody has named a database: the server keeps a file of its own.
    pub(crate) is_own_file: bool,
    tables: Tables,
    /// How long one call may take.
    pub(crate) timeout: Duration,
    /// How many connections at most.
    pub(crate) pool_size: u32,
    /// What keeps sessions and one-time tokens in place of the database.
    pub(crate) redis: Option<Secret>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tables {
    Own,
    AuthJs,
    Prisma,
    Drizzle,
}

impl DatabaseSettings {
    pub(crate) fn table_map(&self) -> TableMap {
        match self.tables {
            Tables::Own => TableMap::own(),
            Tables::AuthJs => TableMap::authjs(),
            Tables::Prisma => TableMap::prisma(),
            Tables::Drizzle => TableMap::drizzle(),
        }
    }

    /// Whether both mean the same database, used in the same way.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let redis = |settings: &Self| settings.redis.as_ref().map(|url| url.expose().to_owned());
        self.url.expose() == other.url.expose()
            && (self.tables, self.timeout, self.pool_size) == (other.tables, other.timeout, other.pool_size)
            && redis(self) == redis(other)
    }

    /// How many files it may have open.
    pub(crate) fn connections(&self) -> usize {
        // SQLite has a log and an index beside each.
        usize::try_from(self.pool_size).unwrap_or(usize::MAX).saturating_mul(3)
    }

    /// The file, where it is SQLite with one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        let file = self.url.expose().strip_prefix("sqlite:").filter(|_| !self.is_in_memory())?;
        let file = file.strip_prefix("//").unwrap_or(file).split('?').next().unwrap_or_default();
        let written = [("%3F", "?"), ("%23", "#"), ("%25", "%")];
        Some(written.into_iter().fold(file.to_owned(), |file, (code, c)| file.replace(code, c)).into())
    }

    /// Whether everything is gone when the server stops.
    pub(crate) fn is_in_memory(&self) -> bool {
        let url = self.url.expose();
        url.starts_with("sqlite:") && (url.contains(":memory:") || url.contains("mode=memory"))
    }
}

/// Both sections, filled up from the environment.
pub(super) fn read(
    top: &mut Section<'_>,
    environment: &Environment,
    dev: bool,
    problems: &mut Vec<Problem>,
) -> DatabaseSettings {
    let document = top.document();
    let (section, redis) = (top.section("database"), top.section("redis"));
    let is_meant = !dev || section.is_some();
    let mut named = None;
    let (mut tables, mut timeout, mut pool_size) = (None, None, None);
    let mut tables_span = 0..0;
    if let Some(mut section) = section {
        named = read_text_or_file(&mut section, "url", "url_file").and_then(|url| match place(&url.value) {
            Some(_) => Some(in_folder(document, url.value)),
            None => {
                document.note(url.span, format!("`database.url` {NO_DATABASE}"));
                None
            }
        });
        tables = section.choice("tables", TABLES);
        tables_span = section.value_span("tables");
        timeout = section.duration("timeout");
        if timeout.is_some_and(|timeout| timeout.is_zero() || timeout > LONGEST_TIMEOUT) {
            section.note("`database.timeout` must be between 1 and 25 seconds: a request ends after 30");
        }
        pool_size = section.integer("pool_size");
        if pool_size == Some(0) {
            section.note("`database.pool_size` must be at least 1");
        }
        section.end();
    }
    let given = [("AUTH_DATABASE_URL", true), ("DATABASE_URL", is_meant)];
    let given = given.into_iter().filter(|(_, counts)| *counts);
    if let Some((name, url)) = given.into_iter().find_map(|(name, _)| Some((name, environment.get(name)?))) {
        if place(url).is_none() {
            problems.push(Problem::new(format!("{name} {NO_DATABASE}")));
        }
        named = Some(url.to_owned());
    }
    let is_own_file = named.is_none();
    let url = named.unwrap_or_else(|| match dev {
        true => of_file(Path::new(DEV_FILE)),
        false => of_file(&document.resolve(FILE)),
    });
    if !matches!(tables, None | Some(Tables::Own))
        && ["mysql:", "mariadb:"].iter().any(|it| url.starts_with(it))
    {
        let message = "`database.tables`: on MySQL and MariaDB there is \"own\" only; tables of Auth.js are on PostgreSQL and SQLite";
        document.note(tables_span, message);
    }
    DatabaseSettings {
        place: place(&url).unwrap_or_default(),
        url: url.into(),
        is_own_file,
        tables: tables.unwrap_or(Tables::Own),
        timeout: timeout.unwrap_or(TIMEOUT),
        pool_size: pool_size.unwrap_or(POOL_SIZE),
        redis: read_redis(redis, environment, problems),
    }
}

fn read_redis(
    section: Option<Section<'_>>,
    environment: &Environment,
    problems: &mut Vec<Problem>,
) -> Option<Secret> {
    let mut url = None;
    if let Some(mut section) = section {
        url = read_text_or_file(&mut section, "url", "url_file");
        if let Some(url) = url.as_ref().filter(|url| !is_redis(&url.value)) {
            section.document().note(url.span.clone(), format!("`redis.url` {NO_REDIS}"));
        }
        if url.is_none() && environment.get(REDIS).is_none() {
            section.note(format!("[redis] needs `url`, `url_file`, or {REDIS}"));
        }
        section.end();
    }
    let Some(given) = environment.get(REDIS) else { return url.map(|url| url.value.into()) };
    if !is_redis(given) {
        problems.push(Problem::new(format!("{REDIS} {NO_REDIS}")));
    }
    Some(given.into())
}

fn is_redis(url: &str) -> bool {
    ["redis://", "rediss://", "redis+unix://"].iter().any(|scheme| url.starts_with(scheme))
}

/// The database that a URL means, for people. `None` for one that Hallpass does not know.
fn place(url: &str) -> Option<String> {
    if let Some(file) = url.strip_prefix("sqlite:") {
        let file = file.strip_prefix("//").unwrap_or(file).split('?').next().unwrap_or_default();
        return Some(format!("SQLite, {}", if file == ":memory:" { "in memory" } else { file }));
    }
    let parsed = url::Url::parse(url).ok()?;
    let kind = match parsed.scheme() {
        "postgres" | "postgresql" => "PostgreSQL",
        "mysql" => "MySQL",
        "mariadb" => "MariaDB",
        _ => return None,
    };
    let host = parsed.host_str().filter(|host| !host.is_empty()).unwrap_or("this machine");
    Some(match parsed.path().trim_matches('/') {
        "" => format!("{kind}, {host}"),
        name => format!("{kind}, {name} at {host}"),
    })
}

/// A file that is named in a file is meant from its folder.
fn in_folder(document: &Document, url: String) -> String {
    let Some(rest) = url.strip_prefix("sqlite:") else { return url };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (file, query) = rest.split_once('?').map_or((rest, ""), |(file, query)| (file, query));
    if file == ":memory:" || file.is_empty() {
        return url;
    }
    let folder = document.resolve("");
    if folder == PathBuf::new() || Path::new(file).is_absolute() {
        return url;
    }
    let folder = of_file(&folder);
    let joined = format!("{}/{file}", folder.trim_end_matches('/'));
    if query.is_empty() { joined } else { format!("{joined}?{query}") }
}

/// The URL of a file.
fn of_file(path: &Path) -> String {
    let mut url = "sqlite:".to_owned();
    for c in path.to_string_lossy().chars() {
        match c {
            // These have a meaning in the URL.
            '%' | '?' | '#' => {
                // Writing to a String does not fail.
                let _ = write!(url, "%{:02X}", u32::from(c));
            }
            c => url.push(c),
        }
    }
    url
}

const TABLES: &[(&str, Tables)] = &[
    ("own", Tables::Own),
    ("authjs", Tables::AuthJs),
    ("prisma", Tables::Prisma),
    ("drizzle", Tables::Drizzle),
];

const FILE: &str = "hallpass.db";

const DEV_FILE: &str = ".hallpass/dev.db";

const REDIS: &str = "AUTH_REDIS_URL";

const NO_DATABASE: &str =
    "must start with sqlite:, postgres:// or mysql://, such as \"postgres://user:password@host/database\"";

const NO_REDIS: &str =
    "must start with redis:// or rediss://, such as \"rediss://user:password@host:6379/0\"";

const TIMEOUT: Duration = Duration::from_secs(5);

const LONGEST_TIMEOUT: Duration = Duration::from_secs(25);

const POOL_SIZE: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_without_its_password() {
        for (url, named) in [
            (
                "postgres://u:canary@db.example:5432/auth?sslmode=require",
                Some("PostgreSQL, auth at db.example"),
            ),
            ("mysql://u:canary@db.example/auth", Some("MySQL, auth at db.example")),
            ("sqlite:a/b.db?mode=rwc", Some("SQLite, a/b.db")),
            ("sqlite::memory:", Some("SQLite, in memory")),
            ("mongodb://u:canary@db.example/auth", None),
            ("file:./dev.db", None),
        ] {
            assert_eq!(place(url).as_deref(), named, "{url}");
        }
    }

    #[test]
    fn a_file_is_meant_from_the_folder_of_the_settings() {
        let document = Document::new(Path::new("/etc/50% of?/hallpass.toml"), "");
        for (written, meant) in [
            ("sqlite:a.db", "sqlite:/etc/50%25 of%3F/a.db"),
            ("sqlite://a.db?mode=rwc", "sqlite:/etc/50%25 of%3F/a.db?mode=rwc"),
            ("sqlite:/var/a.db", "sqlite:/var/a.db"),
            ("sqlite::memory:", "sqlite::memory:"),
            ("postgres://host/a", "postgres://host/a"),
        ] {
            assert_eq!(in_folder(&document, written.to_owned()), meant, "{written}");
        }
    }
}
