//! What CI runs besides `cargo test`, one step at a time. `cargo xtask --help` lists the steps.

mod command;
mod options;
mod steps;
mod workspace;

mod bench;
mod chaos;
mod conformance;
mod deny;
mod evil_op;
mod fuzz;
mod harness;
mod image;
mod load;
mod lockfiles;
mod node;
mod purity;
mod rust;
mod security_cases;
mod seeds;
mod typos;

use std::process::ExitCode;

use crate::command::{Failure, Outcome};
use crate::steps::{STEPS, Step};
use crate::workspace::Workspace;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<(), Failure> {
    let Some((name, rest)) = arguments.split_first() else {
        print_help();
        return Ok(());
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print_help();
        return Ok(());
    }
    let workspace = Workspace::find()?;
    if name == "ci" {
        options::Options::parse(rest, &[])?;
        return steps::run_all(&workspace);
    }
    let Some(step) = Step::named(name) else {
        return Err(Failure::new(format!("no step is called {name}: see cargo xtask --help")));
    };
    match (step.run)(&workspace, rest)? {
        Outcome::Passed => Ok(()),
        Outcome::Skipped(why) => {
            println!("skipped: {why}");
            Ok(())
        }
    }
}

fn print_help() {
    println!("cargo xtask <step>\n");
    println!("  {:<16} every step below that is marked *, in this order; stops at the first failure", "ci");
    for step in STEPS {
        let mark = if step.in_ci { '*' } else { ' ' };
        println!("{mark} {:<16} {}", step.name, step.about);
    }
    println!("\nHALLPASS_TEST_REQUIRE=all makes a missing program a failure instead of a skipped step.");
}
