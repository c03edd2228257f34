//! The judge's counterpart: Hallpass with every configuration that the conformance harness asks for, and with
//! relying parties of the misbehaving provider. Public API only.

mod callbacks;
mod constants;
mod control;
mod evil;
mod probe;
mod profiles;

use axum::Router;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        return Err("usage: conformance-target --listen ADDRESS [--evil-op ORIGIN]".into());
    };
    let listener = TcpListener::bind(&options.listen).await?;
    let mut app: Router = profiles::routes(&listener.local_addr()?.to_string())?;
    if let Some(origin) = options.evil_op {
        app = app.merge(evil::routes(origin));
    }
    println!("listening at http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

struct Options {
    listen: String,
    evil_op: Option<String>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self { listen: "127.0.0.1:18800".to_owned(), evil_op: None };
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--listen" => options.listen = arguments.next()?,
                "--evil-op" => options.evil_op = Some(arguments.next()?),
                _ => return None,
            }
        }
        Some(options)
    }
}
