//! `hallpass init`: a few questions, and the settings that follow from the answers.

use std::path::Path;

use tokio::signal;

use crate::Failure;
use crate::admin::Printer;
use crate::cli::Init;

mod answers;
mod ask;
mod files;
mod settings;
mod write;

use answers::Answers;

pub(crate) fn init(arguments: &Init) -> Result<(), Failure> {
    let answers = Answers::collect(arguments)?;
    let plan = files::plan(&answers)?;
    write_all(&arguments.dir, &plan, arguments.force)?;
    let text = settings::farewell(&answers, &arguments.dir);
    Printer { json: false }.answer(&(), &text)
}

/// All files or none; a Ctrl-C while they are written waits.
fn write_all(folder: &Path, files: &[write::NewFile], force: bool) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::other)?.block_on(async {
        // From the first poll on, the signal no longer ends the program.
        tokio::select! {
            biased;
            _ = signal::ctrl_c() => Err(Failure::other("stopped before anything was written")),
            written = async { write::all(folder, files, force) } => written,
        }
    })
}
