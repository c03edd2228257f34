//! The Hallpass server: the program `hallpass`.

mod admin;
mod cel;
mod cli;
mod config;
mod dev;
mod doctor;
mod edge;
mod doors;
mod home;
mod js;
mod listener;
mod log;
mod ops;
mod secret;
mod serve;
mod session;
mod setup;
mod storage;
mod user;
mod users;
mod webhooks;

use std::fmt;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, Serve};
use config::Problems;

/// Every request makes many small things, in Rust and beside the engine of callbacks: a tenth of its time with the
/// allocator of glibc.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(flags) => serve::run(&flags),
        Command::Dev(flags) => serve::run(&Serve { dev: true, ..flags }),
        Command::Health(server) => ops::health(server),
        Command::Secret => print_secret(),
        Command::User(person) => user::run(&person),
        Command::Migrate(arguments) => admin::migrate::migrate(&arguments),
        Command::Users(arguments) => admin::users::users(arguments),
        Command::Sessions(arguments) => admin::sessions::sessions(arguments),
        Command::Check(arguments) => setup::check::check(&arguments),
        Command::Schema => admin::Printer { json: false }.answer(&(), config::SCHEMA),
        Command::Init(arguments) => setup::init::init(&arguments),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Types(arguments) => setup::types::types(&arguments),
    };
    let Err(failure) = result else { return ExitCode::SUCCESS };
    if !matches!(failure, Failure::Told(_)) {
        eprintln!("hallpass: {failure}");
    }
    match failure {
        Failure::Told(code) => ExitCode::from(code),
        Failure::Configuration(_) => ExitCode::from(2),
        Failure::Other(_) => ExitCode::FAILURE,
    }
}

/// The secret alone on stdout, so that it can be piped; what to do with it on stderr.
fn print_secret() -> Result<(), Failure> {
    println!("{}", secret::new().map_err(Failure::other)?.expose());
    eprintln!(
        "\nKeep it private, and the same on every machine that serves the same site. Either\n  \
         export AUTH_SECRET=\"$(hallpass secret)\"\nor write it to a file and name that in hallpass.toml:\n  \
         hallpass secret > secret.txt          secret_file = \"secret.txt\"\n\
         To change it later without signing people out, put the new one in front: AUTH_SECRET_1, or `secrets`."
    );
    Ok(())
}

/// Why the program ends.
#[derive(Debug)]
enum Failure {
    /// The settings are wrong: exit code 2, like wrong arguments.
    Configuration(Problems),
    /// Anything else: exit code 1.
    Other(String),
    /// Everything has been said, and this is the exit code.
    Told(u8),
}

impl Failure {
    fn other(error: impl fmt::Display) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Configuration(problems)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(problems) => problems.fmt(f),
            Self::Other(message) => f.write_str(message),
            Self::Told(_) => Ok(()),
        }
    }
}
