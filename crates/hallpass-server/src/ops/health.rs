//! `hallpass health`: whether the server on this machine can answer, for containers and scripts.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use hallpass::Environment;

use crate::Failure;
use crate::cli::{Health, Serve};
use crate::config::Config;

/// Asks `/readyz`.
///
/// # Errors
/// When nobody listens, or the server says that it cannot answer requests now.
pub(crate) fn health(server: Health) -> Result<(), Failure> {
    let flags = Serve { config: server.config, listen: server.listen, ..Serve::default() };
    let address = on_this_machine(Config::listen(&flags, &Environment::of_process())?);
    let answer =
        ask(address).map_err(|error| Failure::Other(format!("no server answers at {address}: {error}")))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) == Some("200") {
        print!("{body}");
        return Ok(());
    }
    Err(Failure::Other(format!("the server at {address} is not ready: {}", body.trim())))
}

/// One that listens everywhere listens here too.
fn on_this_machine(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LONGEST_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}

/// Longer than the store may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// In bytes.
const LONGEST_ANSWER: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_on_this_machine() {
        for (listening, asked) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.7:80", "10.0.0.7:80")]
        {
            assert_eq!(on_this_machine(listening.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
