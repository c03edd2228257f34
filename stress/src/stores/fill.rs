//! Many users, each with a session, past the store.

use std::fmt::Write;
use std::ops::Range;

use hallpass::{SessionToken, Timestamp};

use crate::Result;
use crate::database::Database;

pub(crate) fn user(number: u32) -> String {
    format!("u{number}")
}

pub(crate) fn token(number: u32) -> String {
    format!("token-{number}")
}

pub(crate) async fn rows(database: &mut Database, numbers: Range<u32>) -> Result<()> {
    let (start, end) = (numbers.start, numbers.end);
    let expires = format!("CASE WHEN n % {EXPIRED} = 0 THEN {} ELSE {} END", PAST.millis(), FUTURE.millis());
    let created = format!("CASE WHEN n % {EXPIRED} = 1 THEN {} ELSE {} END", PAST.millis(), BETWEEN.millis());
    let from = match database {
        Database::Sqlite(_) => return sqlite(database, numbers).await,
        Database::Postgres(_) => format!("FROM generate_series({start}, {end} - 1) AS n"),
        Database::MySql(_) => format!("FROM (SELECT seq AS n FROM seq_{start}_to_{}) AS numbers", end - 1),
    };
    let hash = match database {
        Database::MySql(_) => "sha2(concat('token-', n), 256)",
        _ => "encode(sha256(concat('token-', n)::bytea), 'hex')",
    };
    database
        .run(format!(
            "INSERT INTO hallpass_users (id, name, email, extra) \
             SELECT concat('u', n), concat('User ', n), concat('u', n, '@example.com'), '{{}}' {from}"
        ))
        .await?;
    database
        .run(format!(
            "INSERT INTO hallpass_sessions (token_hash, user_id, expires, created, user_agent, claims, version) \
             SELECT {hash}, concat('u', n), {expires}, {created}, 'Firefox', '{{}}', 0 {from}"
        ))
        .await?;
    let analyze = match database {
        Database::MySql(_) => "ANALYZE TABLE hallpass_users, hallpass_sessions",
        _ => "VACUUM ANALYZE",
    };
    database.run(analyze.to_owned()).await
}

/// SQLite knows no SHA-256.
async fn sqlite(database: &mut Database, numbers: Range<u32>) -> Result<()> {
    database.run("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN".to_owned()).await?;
    let mut number = numbers.start;
    while number < numbers.end {
        let end = numbers.end.min(number + 500);
        let (mut users, mut sessions) = (String::new(), String::new());
        for n in number..end {
            let (comma, hash) = (if n == number { "" } else { "," }, SessionToken::new(token(n)));
            let expires = if n % EXPIRED == 0 { PAST } else { FUTURE }.millis();
            let created = if n % EXPIRED == 1 { PAST } else { BETWEEN }.millis();
            write!(users, "{comma}('u{n}','User {n}','u{n}@example.com','{{}}')")?;
            write!(sessions, "{comma}('{}','u{n}',{expires},{created},'Firefox','{{}}',0)", hash.hash())?;
        }
        database
            .run(format!(
                "INSERT INTO hallpass_users (id, name, email, extra) VALUES {users}; \
                 INSERT INTO hallpass_sessions (token_hash, user_id, expires, created, user_agent, claims, version) \
                 VALUES {sessions}"
            ))
            .await?;
        number = end;
    }
    database.run("COMMIT; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)".to_owned()).await
}

/// Of so many sessions one has expired, and another one began long ago.
pub(crate) const EXPIRED: u32 = 10;

const PAST: Timestamp = Timestamp::from_seconds(1_000_000_000);

pub(crate) const BETWEEN: Timestamp = Timestamp::from_seconds(1_500_000_000);

const FUTURE: Timestamp = Timestamp::from_seconds(4_102_444_800);
