//! How the three databases differ in what they are told.

use crate::map::{Ids, TableMap, Times};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    MySql,
}

impl Dialect {
    /// Which URL means which database.
    pub(crate) fn of_url(url: &str) -> Option<Self> {
        let (scheme, _) = url.split_once(':')?;
        match scheme {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MySql),
            _ => None,
        }
    }

    pub(crate) fn has_one_writer(self) -> bool {
        self == Self::Sqlite
    }

    pub(crate) fn is_local(self) -> bool {
        self == Self::Sqlite
    }

    /// What a new connection is told first.
    pub(crate) fn setup(self, timeout: std::time::Duration) -> String {
        let millis = timeout.as_millis();
        match self {
            Self::Sqlite => format!("PRAGMA busy_timeout = {millis}"),
            // Who has given up waiting leaves nobody waiting in the server.
            // Every query is by a key, so that its plan is the same for every value; what only speaks PostgreSQL's
            // protocol may not know the setting.
            Self::Postgres => format!(
                "SET statement_timeout = {millis}; SET lock_timeout = {millis}; \
                 SELECT set_config(name, 'force_generic_plan', false) FROM pg_settings WHERE name = 'plan_cache_mode'"
            ),
            Self::MySql => format!(
                "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
                 SESSION innodb_lock_wait_timeout = {}; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                timeout.as_secs().max(1)
            ),
        }
    }

    /// Starts a transaction that sees what others have committed once it waits for nobody.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::MySql => "START TRANSACTION",
        }
    }

    /// After a `SELECT` whose rows must stay as they are until the end of the transaction.
    pub(crate) fn lock(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres | Self::MySql => " FOR UPDATE",
        }
    }

    /// A name between quotation marks.
    pub(crate) fn quoted(self, name: &str) -> String {
        let mark = if self == Self::MySql { '`' } else { '"' };
        let mut quoted = String::with_capacity(name.len() + 2);
        quoted.push(mark);
        for c in name.chars() {
            if c == mark {
                quoted.push(mark);
            }
            quoted.push(c);
        }
        quoted.push(mark);
        quoted
    }

    /// A text between apostrophes; only names of columns are written so.
    pub(crate) fn literal(self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    /// What stands for the `number`th value, which is of a kind: `text`, `int`, `flag`, `id` or `time`.
    fn placeholder(self, map: &TableMap, kind: &str, number: usize) -> String {
        let plain = if self == Self::Postgres { format!("${number}") } else { "?".to_owned() };
        match (kind, self, map.times, map.ids) {
            ("time", Self::Postgres, Times::Timestamp, _) => {
                format!("(TIMESTAMP 'epoch' + {plain} * INTERVAL '1 millisecond')")
            }
            ("time", Self::Postgres, Times::Timestamptz, _) => {
                format!("(TIMESTAMPTZ 'epoch' + {plain} * INTERVAL '1 millisecond')")
            }
            ("id", _, _, Ids::Uuid) => format!("CAST({plain} AS uuid)"),
            _ => plain,
        }
    }

    /// A time column as milliseconds.
    pub(crate) fn millis(self, map: &TableMap, column: &str) -> String {
        match (self, map.times) {
            (Self::Postgres, Times::Timestamp | Times::Timestamptz) => {
                format!("CAST(floor(extract(epoch FROM {column}) * 1000) AS bigint)")
            }
            // Prisma has written times as numbers, and as texts since it has drivers in JavaScript.
            (Self::Sqlite, Times::Timestamp | Times::Timestamptz) => format!(
                "CASE typeof({column}) WHEN 'text' THEN CAST(round(unixepoch({column}, 'subsec') * 1000) AS integer) \
                 ELSE {column} END"
            ),
            _ => column.to_owned(),
        }
    }

    /// The time now, for columns that only other programs read.
    pub(crate) fn now(self, kind: &str) -> &'static str {
        match self {
            Self::Postgres if kind.contains("without") => "(now() AT TIME ZONE 'utc')",
            Self::Postgres | Self::MySql => "now()",
            Self::Sqlite => "CAST(unixepoch('subsec') * 1000 AS integer)",
        }
    }

    /// An id as text.
    pub(crate) fn id(self, map: &TableMap, column: &str) -> String {
        if map.ids == Ids::Text { column.to_owned() } else { format!("CAST({column} AS text)") }
    }

    /// The text of a query: `{table}` and `{table.column}` become names, `{!piece}` what `piece` says, `{=text}` stays
    /// as it is, and `:text`, `:int`, `:flag`, `:id`, `:time` become placeholders.
    pub(crate) fn render(self, map: &TableMap, template: &str, piece: &dyn Fn(&str) -> String) -> String {
        let mut text = String::with_capacity(template.len() * 2);
        let mut count = 0;
        let mut rest = template;
        while let Some(at) = rest.find(['{', ':']) {
            let (before, word) = rest.split_at(at);
            text.push_str(before);
            if let Some(name) = word.strip_prefix('{') {
                let (name, after) = name.split_once('}').unwrap_or((name, ""));
                match name.split_at_checked(1) {
                    Some(("!", name)) => text.push_str(&piece(name)),
                    Some(("=", name)) => text.push_str(name),
                    _ => text.push_str(&self.quoted(map.name_of(name))),
                }
                rest = after;
            } else {
                let word = word.get(1..).unwrap_or_default();
                let end = word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len());
                let (kind, after) = word.split_at(end);
                count += 1;
                text.push_str(&self.placeholder(map, kind, count));
                rest = after;
            }
        }
        text.push_str(rest);
        text
    }
}
