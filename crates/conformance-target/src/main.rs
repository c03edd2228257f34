//! The judge's counterpart: Hallpass with every configuration that the conformance harness asks for, and with
//! relying parties of the misbehaving provider. Public API only.

mod callbacks;
mod constants;
mod control;
mod evil;
mod probe;
mod profiles;
mod shell;

use std::net::TcpListener;

use shell::Shell;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        return Err(
            "usage: conformance-target --listen ADDRESS [--shell axum|actix] [--evil-op ORIGIN]".into()
        );
    };
    let listener = TcpListener::bind(&options.listen)?;
    let mut shell = options.shell;
    profiles::mount(&mut shell, &listener.local_addr()?.to_string())?;
    if let Some(origin) = options.evil_op {
        shell.add(evil::routes(origin));
    }
    println!("listening at http://{}", listener.local_addr()?);
    shell.serve(listener).await
}

struct Options {
    listen: String,
    shell: Shell,
    evil_op: Option<String>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut options =
            Self { listen: "127.0.0.1:18800".to_owned(), shell: Shell::named("axum")?, evil_op: None };
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--listen" => options.listen = arguments.next()?,
                "--shell" => options.shell = Shell::named(&arguments.next()?)?,
                "--evil-op" => options.evil_op = Some(arguments.next()?),
                _ => return None,
            }
        }
        Some(options)
    }
}
