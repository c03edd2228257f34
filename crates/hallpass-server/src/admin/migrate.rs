//! `hallpass migrate`: the tables of the database.

use serde_json::json;

use super::{Opened, open, run};
use crate::Failure;
use crate::cli::Migrate;
use crate::storage;

pub(crate) fn migrate(arguments: &Migrate) -> Result<(), Failure> {
    run(async {
        let Opened { storage, printer, .. } = open(&arguments.place).await?;
        if arguments.status {
            let found = storage.migrations().await?;
            let steps: Vec<_> =
                found.iter().map(|step| json!({ "name": step.name, "applied": step.is_applied })).collect();
            let word = |is_applied| if is_applied { "applied" } else { "pending" };
            let text: String =
                found.iter().map(|step| format!("{} {}\n", word(step.is_applied), step.name)).collect();
            printer.answer(&steps, &text)?;
            return match found.iter().all(|step| step.is_applied) {
                true => Ok(()),
                false => Err(Failure::other(
                    "the database is not as this version needs it: run `hallpass migrate`",
                )),
            };
        }
        if arguments.dry_run {
            let statements = storage.sql.dry_run().await;
            let statements = statements.map_err(|error| {
                storage::failed("the tables of the database could not be looked at", &error)
            })?;
            let text: String = statements.iter().map(|statement| format!("{statement};\n")).collect();
            let nothing = "-- nothing to do\n";
            return printer
                .answer(&json!({ "statements": statements }), if text.is_empty() { nothing } else { &text });
        }
        let applied = storage.sql.migrate().await;
        let applied = applied.map_err(|error| storage::failed("the tables could not be made", &error))?;
        let text: String = applied.iter().map(|name| format!("applied {name}\n")).collect();
        printer
            .answer(&json!({ "applied": applied }), if text.is_empty() { "nothing to do\n" } else { &text })
    })
}
