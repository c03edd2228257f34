//! `packaging/nginx.conf` in a real nginx.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use test_servers::Program;

use crate::api::Api;
use crate::browser::Browser;
use crate::program::{Folder, Server, program};
use crate::storage::{configured, done};

/// A proxy that goes when the test ends.
struct Nginx {
    child: Child,
    host: String,
    folder: Folder,
}

impl Nginx {
    /// In front of Hallpass and of an application; without TLS, on a port of its own.
    fn start(nginx: &Path, hallpass: &str, application: &str) -> Self {
        let folder = Folder::new();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let root = folder.path().display().to_string();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/nginx.conf");
        let ours: String = fs::read_to_string(path).unwrap();
        let ours = ours
            .lines()
            .filter(|line| !line.trim_start().starts_with("ssl_"))
            .map(|line| line.replace("listen 443 ssl", &format!("listen {host}")) + "\n")
            .collect::<String>()
            .replace("127.0.0.1:3000", hallpass)
            .replace("127.0.0.1:8000", application)
            .replace("app.example.com", "_");
        folder.write("ours.conf", &ours);
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {root}/{kind};\n"))
            .concat();
        folder.write(
            "nginx.conf",
            &format!(
                "daemon off;\nmaster_process off;\nworker_processes 1;\npid {root}/pid;\nerror_log {root}/errors;\n\
                 events {{}}\nhttp {{\naccess_log off;\n{temporary}include {root}/ours.conf;\n}}\n"
            ),
        );
        let mut command = Command::new(nginx);
        command.args(["-p", &root, "-e", "errors", "-c", "nginx.conf"]);
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut nginx = Self { child, host, folder };
        nginx.wait_until_ready();
        nginx
    }

    fn wait_until_ready(&mut self) {
        let errors = self.folder.path().join("errors");
        for _ in 0..500 {
            if std::net::TcpStream::connect(&self.host).is_ok() {
                return;
            }
            if self.child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("nginx does not listen: {}", fs::read_to_string(errors).unwrap_or_default());
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SETTINGS: &str = "trusted_proxies = [\"127.0.0.1\"]\n[forward_auth]\nclaims = [\"role\"]\n";

fn nginx() -> Option<PathBuf> {
    Program::Nginx.find()
}

#[test]
fn nginx_lets_pass_who_is_signed_in_and_tells_the_application_who_it_is() {
    let Some(nginx) = nginx() else { return };
    let folder = configured(SETTINGS);
    let server = Server::start(program(&folder, &[]));
    let application = Api::start();
    let nginx = Nginx::start(&nginx, &server.host, application.origin.strip_prefix("http://").unwrap());
    let origin = format!("http://{}", nginx.host);
    let forged = "x-auth-user-id: root\r\nx-auth-claim-role: owner\r\nx-forwarded-for: 203.0.113.1\r\n\
                  x-forwarded-host: evil.example\r\nforwarded: for=203.0.113.1;host=evil.example\r\n\
                  x-original-url: https://evil.example/\r\n";
    let mut browser = Browser::new(&nginx.host).saying(forged);

    // A program is told, a browser is led to the sign-in page, and knows the way back.
    assert_eq!(browser.get("/api/head").status, 401);
    let answer = browser.get_with("/api/head?a=1&b=%26", "accept: text/html\r\n");
    let page = answer.header("location").unwrap_or_default().to_owned();
    let encoded = origin.replace(':', "%3A").replace('/', "%2F");
    let back = format!("{encoded}%2Fapi%2Fhead%3Fa%3D1%26b%3D%2526");
    assert_eq!((answer.status, page.as_str()), (302, &*format!("/api/auth/signin?callbackUrl={back}")));
    assert_eq!(application.count("/"), 0);

    // They sign in there, through the proxy, under its address.
    let form = browser.get(&page);
    assert_eq!(form.status, 200, "{}", form.body);
    let back = format!("{origin}/api/head?a=1&b=%26");
    let fields = [("username", "ada"), ("password", "correct horse"), ("callbackUrl", &*back)];
    let answer = browser.post("/api/auth/callback/credentials", &fields);
    assert_eq!((answer.status, answer.header("location")), (302, Some(&*back)));
    let sessions = done(&folder, &["sessions", "list", "ada", "--json"]);
    assert!(sessions.contains("\"address\": \"127.0.0.1\""), "{sessions}");

    // The application is told who it is, and nothing that the visitor has made up.
    for method in ["GET", "POST", "DELETE"] {
        let answer = browser.send(method, "/api/head", "", "");
        assert_eq!(answer.status, 200, "{method}: {}", answer.body);
        let head = answer.body.to_lowercase();
        for line in
            ["x-auth-user-id: ada\n", "x-auth-user-name: ada lovelace\n", "x-auth-claim-role: admin\n"]
        {
            assert!(head.contains(line), "{method}: {line}: {head}");
        }
        assert!(!head.contains("root") && !head.contains("owner") && !head.contains("evil"), "{head}");
    }

    // Nobody asks as the proxy does.
    assert_eq!(browser.get("/_hallpass/verify").status, 404);
    assert_eq!(browser.get("/_hallpass/sign-in").status, 404);

    browser.post("/api/auth/signout", &[]);
    assert_eq!(browser.get("/api/head").status, 401);
}

#[test]
fn nginx_lets_nobody_pass_while_hallpass_is_away() {
    let Some(nginx) = nginx() else { return };
    let folder = configured(SETTINGS);
    let server = Server::start(program(&folder, &[]));
    let application = Api::start();
    let nginx = Nginx::start(&nginx, &server.host, application.origin.strip_prefix("http://").unwrap());
    let mut browser = Browser::new(&nginx.host);
    browser.sign_in("ada", "correct horse");
    assert_eq!(browser.get("/api/head").status, 200);
    drop(server);
    let answer = browser.get("/api/head");
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    assert_eq!(application.count("/api/head"), 1);
}
