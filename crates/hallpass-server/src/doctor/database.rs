//! Whether the database and Redis answer, and have all tables.

use crate::config::Config;
use crate::storage::Storage;

use super::finding::Finding;

pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    let settings = &config.database;
    if let Some(file) = settings.file().filter(|file| !file.exists()) {
        // Opening it would make it.
        let file = file.display();
        return vec![match settings.is_own_file {
            true => Finding::ok(DATABASE, format!("{file} is not there yet: the server makes it")),
            false => Finding::warning(
                DATABASE,
                format!("{file} is not there yet"),
                "run `hallpass migrate`, unless another file was meant",
            ),
        }];
    }
    if settings.is_in_memory() {
        return vec![Finding::warning(
            DATABASE,
            "everything is gone when the server stops: it is in memory",
            "name a file or a server: `url` in [database]",
        )];
    }
    let sql = match Storage::open_sql(config).await {
        Ok(sql) => sql,
        Err(failure) => {
            let cure = "look whether it runs, and whether host, user and password in [database] (AUTH_DATABASE_URL) are right";
            return vec![Finding::problem(DATABASE, failure.to_string(), cure)];
        }
    };
    let found = match sql.migrations().await {
        Err(error) => Finding::problem(
            DATABASE,
            format!("the tables could not be looked at ({}): {error}", settings.place),
            "give the user the right to read them",
        ),
        Ok(steps) => {
            let pending: Vec<_> =
                steps.iter().filter(|step| !step.is_applied).map(|step| step.name).collect();
            match pending.is_empty() {
                true => Finding::ok(DATABASE, format!("answers, with all tables: {}", settings.place)),
                false => Finding::problem(
                    DATABASE,
                    format!("tables are missing ({}): {}", settings.place, pending.join(", ")),
                    "run `hallpass migrate`, which shows with --dry-run what it would do",
                ),
            }
        }
    };
    sql.close().await;
    vec![found]
}

pub(super) async fn redis(config: &Config) -> Vec<Finding> {
    let Some(url) = &config.database.redis else { return Vec::new() };
    vec![match Storage::ping_redis(url, config.database.timeout).await {
        Ok(()) => Finding::ok("redis", "answers"),
        Err(failure) => Finding::problem(
            "redis",
            failure.to_string(),
            "look whether it runs, and whether host and password in [redis] (AUTH_REDIS_URL) are right",
        ),
    }]
}

const DATABASE: &str = "database";
