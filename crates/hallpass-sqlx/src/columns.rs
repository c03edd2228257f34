//! Columns that a map does not name: found when a store is opened.

use crate::database::{Statement, Value};
use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::map::{Ids, TableMap};
use crate::pool::Lease;

/// The columns of tables that belong to somebody else.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    further: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    table: &'static str,
    name: String,
    kind: String,
    /// Has to be written: it may not be `NULL`, and nothing fills it.
    is_required: bool,
}

impl Columns {
    pub(crate) async fn of(map: &TableMap, dialect: Dialect, lease: &mut Lease) -> Result<Self, Failure> {
        let mut columns = Self::default();
        if map.is_own {
            return Ok(columns);
        }
        for table in ["users", "accounts", "sessions"] {
            let rows =
                lease.rows(&Statement::from(query(dialect)), &[Value::from(map.name_of(table))]).await?;
            if rows.is_empty() {
                let message = format!("there is no table {}", map.name_of(table));
                return Err(hallpass::StoreError::unavailable(message).into());
            }
            for row in rows {
                let name = row.required(0)?;
                if !map.columns(table).any(|known| known == name) && !name.contains('}') {
                    let kind = row.required(1)?.to_ascii_lowercase();
                    let is_required = row.int(2)? == Some(1);
                    columns.further.push(Column { table, name, kind, is_required });
                }
            }
        }
        Ok(columns)
    }

    /// Whether a further field of a user has a column.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.of_users().any(|column| column.name == field)
    }

    /// How many further fields of a user have columns.
    pub(crate) fn count(&self) -> usize {
        self.of_users().count()
    }

    /// The further fields of a user as one JSON text.
    pub(crate) fn extra(&self, dialect: Dialect, alias: &str) -> String {
        let mut pairs = Vec::new();
        for column in self.of_users() {
            pairs.push(format!(
                "{}, {alias}.{}",
                dialect.literal(&column.name),
                dialect.quoted(&column.name)
            ));
        }
        let pairs = pairs.join(", ");
        match dialect {
            Dialect::Postgres => format!("CAST(json_build_object({pairs}) AS text)"),
            Dialect::Sqlite | Dialect::MySql => format!("json_object({pairs})"),
        }
    }

    /// Writes each further field of a user from a JSON text.
    pub(crate) fn extra_changes(&self, dialect: Dialect, map: &TableMap) -> String {
        let table = dialect.quoted(map.name_of("users"));
        self.of_users().map(|Column { name, .. }| {
            let column = dialect.quoted(name);
            match dialect {
                Dialect::Postgres => format!(
                    ", {{={column}}} = (json_populate_record(CAST(NULL AS {{={table}}}), CAST(:text AS json))).{{={column}}}"
                ),
                Dialect::Sqlite | Dialect::MySql => {
                    let path = dialect.literal(&format!("$.\"{name}\""));
                    format!(", {{={column}}} = json_extract(:text, {{={path}}})")
                }
            }
        }).collect()
    }

    /// Names and values of columns that must be written and that other programs fill themselves: ids and times.
    pub(crate) fn filled(&self, dialect: Dialect, table: &str) -> (String, String) {
        let mut names = String::new();
        let mut values = String::new();
        for column in self.further.iter().filter(|column| column.table == table && column.is_required) {
            let value = if is_time(&column.kind) || column.name.ends_with("At") {
                dialect.now(&column.kind)
            } else if column.name == "id" {
                random_id(dialect, &column.kind)
            } else {
                continue;
            };
            names.push_str(&format!(", {{={}}}", dialect.quoted(&column.name)));
            values.push_str(&format!(", {{={value}}}"));
        }
        (names, values)
    }

    fn of_users(&self) -> impl Iterator<Item = &Column> {
        self.further.iter().filter(|column| column.table == "users")
    }
}

/// Name, kind, and whether a value must be given.
fn query(dialect: Dialect) -> String {
    let text = match dialect {
        Dialect::Sqlite => {
            "SELECT name, type, (\"notnull\" = 1 AND dflt_value IS NULL AND NOT (pk = 1 AND lower(type) = 'integer')) \
             FROM pragma_table_info(?) ORDER BY cid"
        }
        Dialect::Postgres => {
            "SELECT CAST(column_name AS text), CAST(data_type AS text), \
             CAST(CASE WHEN is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' THEN 1 ELSE 0 END AS bigint) \
             FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 \
             ORDER BY ordinal_position"
        }
        Dialect::MySql => {
            "SELECT column_name, data_type, is_nullable = 'NO' AND column_default IS NULL \
             FROM information_schema.columns WHERE table_schema = database() AND table_name = ? \
             ORDER BY ordinal_position"
        }
    };
    text.to_owned()
}

fn is_time(kind: &str) -> bool {
    kind.contains("time") || kind.contains("date")
}

/// An id that nobody looks at: it only has to be unique.
fn random_id(dialect: Dialect, kind: &str) -> &'static str {
    match dialect {
        Dialect::Postgres if kind == "uuid" => "gen_random_uuid()",
        Dialect::Postgres => "CAST(gen_random_uuid() AS text)",
        Dialect::Sqlite => "lower(hex(randomblob(16)))",
        Dialect::MySql => "uuid()",
    }
}

/// The id of a user as a value, or `None` where no user can have it.
pub(crate) fn user_id(ids: Ids, id: &str) -> Option<Value<'_>> {
    match ids {
        _ if id.contains('\0') => None,
        Ids::Text => Some(Value::from(id)),
        Ids::Uuid => {
            let is_one = uuid::Uuid::try_parse(id).is_ok_and(|uuid| uuid.hyphenated().to_string() == id);
            is_one.then(|| Value::from(id))
        }
        Ids::Integer => {
            let number: i64 = id.parse().ok()?;
            (number.to_string() == id).then(|| Value::from(number))
        }
    }
}
