//! `hallpass migrate`: the tables of the database.

use hallpass_sqlx::Reseal;
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
        if arguments.reseal {
            let mut progress = if arguments.dry_run { Reseal::new().dry_run() } else { Reseal::new() };
            while !progress.is_done {
                let step = storage.sql.reseal(&mut progress, AT_ONCE).await;
                step.map_err(|error| storage::failed("the tokens could not be encrypted anew", &error))?;
            }
            let Reseal { resealed, unopened, .. } = progress;
            let word = if arguments.dry_run { "to encrypt anew" } else { "encrypted anew" };
            let mut text = format!("{word}: tokens of {resealed} accounts\n");
            if unopened > 0 {
                text += &format!("no secret of the settings opens the tokens of {unopened} accounts\n");
            }
            return printer.answer(&json!({ "resealed": resealed, "unopened": unopened }), &text);
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

/// In accounts.
const AT_ONCE: u32 = 500;
