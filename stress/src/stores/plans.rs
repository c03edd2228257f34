//! How a database finds what it is asked for among many rows.
//!
//! The queries have the shape of those of `SqlStore`, which are not public; that each of its own uses an index is
//! tested beside them.

use hallpass::SessionToken;

use crate::Result;
use crate::database::Database;
use crate::stores::fill;

/// Prints how a session is read, those of a user are listed, expired ones swept, and user agents forgotten. Reading and
/// forgetting must not look through a table.
pub(crate) async fn print(name: &str, database: &mut Database) -> Result<()> {
    let token = SessionToken::new(fill::token(1));
    let hash = token.hash();
    let oldest = format!(
        "SELECT token_hash FROM hallpass_sessions WHERE expires < {} ORDER BY expires LIMIT 1000",
        fill::BETWEEN.millis()
    );
    let sweep = match database {
        Database::MySql(_) => oldest,
        Database::Postgres(_) => {
            format!("DELETE FROM hallpass_sessions WHERE token_hash = ANY (ARRAY({oldest}))")
        }
        Database::Sqlite(_) => format!("DELETE FROM hallpass_sessions WHERE token_hash IN ({oldest})"),
    };
    let queries = [
        (
            "a session",
            format!(
                "SELECT s.expires, s.claims, u.id, u.name FROM hallpass_sessions s \
                 JOIN hallpass_users u ON u.id = s.user_id WHERE s.token_hash = '{hash}'"
            ),
            true,
        ),
        (
            "sessions of a user",
            "SELECT token_hash FROM hallpass_sessions WHERE user_id = 'u1'".to_owned(),
            true,
        ),
        ("expired sessions", sweep, false),
        ("user agents to forget", forget(database).await?, true),
    ];
    let explain = if matches!(database, Database::Sqlite(_)) { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
    for (what, query, by_index) in queries {
        println!("{name}: plan of {what}");
        for line in database.lines(format!("{explain} {query}")).await? {
            println!("    {line}");
            let is_scan = line.contains("SCAN") || line.contains("Seq Scan") || line.contains(" ALL ");
            if by_index && is_scan {
                return Err(format!("{what} is looked for in the whole table").into());
            }
        }
    }
    Ok(())
}

/// As the store does it, on PostgreSQL by a plan that fits every value.
async fn forget(database: &mut Database) -> Result<String> {
    let update = "UPDATE hallpass_sessions SET user_agent = NULL, address = NULL WHERE";
    let is_known = "(user_agent IS NOT NULL OR address IS NOT NULL)";
    let old = |before: &str, limit: &str| {
        format!(
            "SELECT token_hash FROM hallpass_sessions WHERE {is_known} AND created < {before} \
             ORDER BY created LIMIT {limit}"
        )
    };
    let before = fill::BETWEEN.millis().to_string();
    Ok(match database {
        Database::MySql(_) => format!("{update} client < {before} ORDER BY client LIMIT 1000"),
        Database::Sqlite(_) => format!("{update} token_hash IN ({})", old(&before, "1000")),
        Database::Postgres(_) => {
            database
                .run(format!(
                    "SET plan_cache_mode = force_generic_plan; PREPARE forget (bigint, bigint) AS \
                     {update} token_hash = ANY (ARRAY({})) AND {is_known}",
                    old("$1", "$2")
                ))
                .await?;
            format!("EXECUTE forget ({before}, 1000)")
        }
    })
}
