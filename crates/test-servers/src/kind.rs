//! What is particular about each server.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::programs::{Identity, find, in_place, skip};
use crate::server::Durability;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are these three")]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// MariaDB, or MySQL in its place.
    MariaDb,
    /// Redis, or Valkey in its place.
    Redis,
}

impl Kind {
    pub(crate) fn skip(self) {
        skip(match self {
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
            Self::Redis => "Redis",
        });
    }

    /// The program of the server, if it is installed with all that it needs.
    pub(crate) fn program(self) -> Option<PathBuf> {
        let other = self.in_place();
        let needed: &[&str] = match self {
            Self::Postgres => &["psql", "initdb", "postgres"],
            Self::MariaDb if other.is_some() => &["mariadb"],
            Self::MariaDb => &["mariadb", "mariadb-install-db", "mariadbd"],
            Self::Redis if other.is_some() => &[],
            Self::Redis => &["redis-server"],
        };
        let usual = needed.iter().try_fold(PathBuf::new(), |_, name| find(name))?;
        Some(other.unwrap_or(usual))
    }

    fn in_place(self) -> Option<PathBuf> {
        match self {
            Self::Postgres => None,
            Self::MariaDb => in_place("HALLPASS_TEST_MYSQLD"),
            Self::Redis => in_place("HALLPASS_TEST_VALKEY"),
        }
    }

    pub(crate) fn identity(self) -> Option<Identity> {
        match self {
            Self::Postgres => Identity::of("postgres"),
            Self::MariaDb => Identity::of("mysql"),
            Self::Redis => None,
        }
    }

    /// How it is told to stop in good order, and how at the end, when nothing counts but that nothing is left.
    pub(crate) fn signals(self) -> [&'static str; 2] {
        match self {
            Self::Postgres => ["INT", "QUIT"],
            Self::MariaDb | Self::Redis => ["TERM", "KILL"],
        }
    }

    /// Makes an empty data folder.
    pub(crate) fn prepare(self, folder: &Path, identity: Option<Identity>) {
        let data = folder.join("data").display().to_string();
        match self {
            Self::MariaDb if let Some(mysqld) = self.in_place() => {
                let users = folder.join("users.sql");
                fs::write(&users, MYSQL_USERS).expect("the folder is ours");
                let mut command = of_program(&mysqld, &["--no-defaults", "--initialize-insecure"], identity);
                command.arg(format!("--datadir={data}")).arg(format!("--init-file={}", users.display()));
                run(command);
            }
            Self::Postgres => {
                let options = ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"];
                let mut command = self.command("initdb", &options, identity);
                command.args(["--locale=C.UTF-8", "--pgdata", &data]);
                run(command);
            }
            Self::MariaDb => {
                let options = ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"];
                let mut command = self.command("mariadb-install-db", &options, identity);
                command.arg(format!("--datadir={data}")).env("TMPDIR", folder);
                run(command);
            }
            Self::Redis => fs::create_dir(data).expect("the folder is ours"),
        }
    }

    pub(crate) fn arguments(self, folder: &Path, port: u16, durability: Durability) -> Vec<String> {
        let data = folder.join("data").display().to_string();
        let socket = folder.join("socket").display().to_string();
        let is_lasting = durability == Durability::Lasting;
        let on_off = if is_lasting { "on" } else { "off" };
        match self {
            Self::Postgres => {
                let mut settings = vec![
                    "listen_addresses=127.0.0.1".into(),
                    "unix_socket_directories=".into(),
                    "max_connections=300".into(),
                    "shared_buffers=512MB".into(),
                    format!("fsync={on_off}"),
                    format!("full_page_writes={on_off}"),
                ];
                if !is_lasting {
                    settings.push("synchronous_commit=off".into());
                }
                let mut arguments = vec!["-D".into(), data, "-p".into(), port.to_string()];
                arguments.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
                arguments
            }
            Self::MariaDb => {
                let mut arguments = vec![
                    "--no-defaults".into(),
                    format!("--datadir={data}"),
                    // MariaDB begins by removing the temporary tables of whoever shares the folder.
                    format!("--tmpdir={}", folder.display()),
                    format!("--socket={socket}"),
                    format!("--port={port}"),
                    "--bind-address=127.0.0.1".into(),
                    "--skip-name-resolve".into(),
                    "--max-connections=300".into(),
                    "--performance-schema=off".into(),
                    "--innodb-buffer-pool-size=512M".into(),
                    format!("--innodb-flush-log-at-trx-commit={}", if is_lasting { 1 } else { 0 }),
                ];
                arguments.extend(if self.in_place().is_some() { MYSQL } else { MARIADB }.map(str::to_owned));
                arguments
            }
            Self::Redis => [
                "--bind 127.0.0.1",
                &format!("--port {port}"),
                &format!("--dir {data}"),
                "--databases 10000",
                "--save ''",
                if is_lasting { "--appendonly yes --appendfsync always" } else { "--appendonly no" },
            ]
            .iter()
            .flat_map(|setting| setting.split(' '))
            .map(|word| if word == "''" { String::new() } else { word.to_owned() })
            .collect(),
        }
    }

    /// Whether the server does its work. One that is starting or paused does not.
    pub(crate) fn is_ready(self, address: SocketAddr) -> bool {
        match self {
            Self::Postgres => succeeds(self.sql(address, "SELECT 1")),
            Self::MariaDb => greets(address, &[]) && succeeds(self.sql(address, "SELECT 1")),
            Self::Redis => greets(address, b"PING\r\n"),
        }
    }

    /// Makes the database with this number, and says where it is.
    pub(crate) fn create_database(self, address: SocketAddr, number: u32) -> String {
        match self {
            Self::Postgres => {
                run(self.sql(address, &format!("CREATE DATABASE test_{number}")));
                format!("postgres://postgres@{address}/test_{number}?sslmode=disable")
            }
            Self::MariaDb => {
                run(self.sql(address, &format!("CREATE DATABASE test_{number}")));
                let password = if self.in_place().is_some() { MYSQL_PASSWORD } else { "" };
                format!("mysql://root:{password}@{address}/test_{number}")
            }
            Self::Redis => format!("redis://{address}/{number}"),
        }
    }

    fn sql(self, address: SocketAddr, statement: &str) -> Command {
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        match self {
            Self::Postgres => {
                let options = ["--no-psqlrc", "--quiet", "--username=postgres", "--dbname=postgres"];
                let mut command = self.command("psql", &options, None);
                command.args(["--host", &host, "--port", &port, "--command", statement]);
                command.env("PGSSLMODE", "disable").env("PGCONNECT_TIMEOUT", "10");
                command
            }
            Self::MariaDb => {
                let options = ["--no-defaults", "--user=root", "--protocol=tcp", "--connect-timeout=10"];
                let mut command = self.command("mariadb", &options, None);
                command.args(["--host", &host, "--port", &port, "--execute", statement]);
                if self.in_place().is_some() {
                    command.env("MYSQL_PWD", MYSQL_PASSWORD);
                }
                command
            }
            Self::Redis => unreachable!("Redis has no SQL"),
        }
    }

    fn command(self, program: &str, options: &[&str], identity: Option<Identity>) -> Command {
        let path = find(program).unwrap_or_else(|| panic!("{program} is not installed"));
        of_program(&path, options, identity)
    }
}

fn of_program(path: &Path, options: &[&str], identity: Option<Identity>) -> Command {
    let mut command = Command::new(path);
    command.args(options).stdin(Stdio::null()).current_dir("/");
    Identity::drop_to(identity, &mut command);
    command
}

/// Whether a server answers a first message, of which it may need none.
fn greets(address: SocketAddr, message: &[u8]) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, ANSWER) else { return false };
    let mut answer = [0; 5];
    let asked = stream.set_read_timeout(Some(ANSWER)).and_then(|()| stream.write_all(message));
    asked.and_then(|()| stream.read_exact(&mut answer)).is_ok() && (message.is_empty() || answer == *b"+PONG")
}

fn succeeds(mut command: Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn run(mut command: Command) {
    let output = command.output().expect("the program is installed");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} failed:\n{stdout}{stderr}");
}

/// A collation that folds case and accents, as MySQL's default does.
const MARIADB: [&str; 2] = ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"];

const MYSQL: [&str; 2] = ["--mysqlx=OFF", "--secure-file-priv=NULL"];

/// MySQL's own `root` may use the socket only. This one has a password: an empty one would need no TLS.
const MYSQL_USERS: &str = "CREATE USER root@'127.0.0.1' IDENTIFIED BY 'password';\n\
     GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n";

const MYSQL_PASSWORD: &str = "password";

const ANSWER: Duration = Duration::from_secs(1);
