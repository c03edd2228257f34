//! What the seeds promise, row by row: their code runs in the server as it is.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::api::Api;
use crate::browser::Browser;
use crate::idp::OpenIdProvider;
use crate::program::{Folder, Server, program, refusal, run};

/// A server with a file of `e2e/seeds`, Ada in its users file, and the API as provider.
struct Site {
    folder: Folder,
    api: Api,
}

impl Site {
    fn new(seed: &str, more: &str) -> Self {
        let site = Self { folder: Folder::new(), api: Api::start() };
        let ada = ["user", "ada", "--name", "Ada Lovelace", "--email", "ada@example.com", "--role", "admin"];
        let entry = String::from_utf8(run(&site.folder, &ada, "correct horse").stdout).unwrap();
        site.folder
            .write("users.toml", &format!("{entry}id = \"42\"\npasswordHash = \"not for browsers\"\n"));
        site.settings(SECRET, more);
        site.load(seed);
        site
    }

    fn settings(&self, secret: &str, more: &str) {
        let text = format!(
            "listen = \"127.0.0.1:0\"\n{secret}\nusers_file = \"users.toml\"\n{more}\n{}[fetch]\nbase_url = \"{}\"\n",
            self.api.provider(),
            self.api.origin
        );
        self.folder.write("hallpass.toml", &text);
    }

    /// The same file with sessions of the other kind.
    fn keep_sessions_in(&self, strategy: &str, more: &str) {
        self.settings(SECRET, &format!("{more}\n[session]\nstrategy = \"{strategy}\""));
    }

    /// Takes another file of the seeds.
    fn load(&self, seed: &str) {
        for old in ["hallpass.config.js", "hallpass.config.ts"] {
            let _ = fs::remove_file(self.folder.path().join(old));
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/seeds").join(seed);
        let (_, extension) = seed.rsplit_once('.').unwrap();
        self.folder.write(&format!("hallpass.config.{extension}"), &fs::read_to_string(path).unwrap());
    }

    fn start(&self) -> Server {
        Server::start(program(&self.folder, &[]))
    }

    fn start_in_development(&self) -> Server {
        Server::start(program(&self.folder, &["--dev"]))
    }
}

const SECRET: &str = "secret = \"a secret of at least 32 characters\"";

fn sign_in(browser: &mut Browser, how: &str) {
    let answer = match how {
        "credentials" => browser.sign_in("ada", "correct horse"),
        provider => browser.sign_in_with(provider),
    };
    assert_eq!(answer.status, 302);
    assert!(browser.has_session(), "{how}: {:?}", answer.header("location"));
}

#[test]
fn seed_1_1_without_callbacks_the_session_is_name_email_and_image() {
    for strategy in ["jwt", "database"] {
        for how in ["credentials", "acme"] {
            // No callback decides, though there is somebody with an id, a role and a hash.
            let site = Site::new("1-jwt.js", "");
            site.keep_sessions_in(strategy, "");
            site.folder.write("hallpass.config.js", "export default { providers: [] }");
            let server = site.start();
            let mut browser = Browser::new(&server.host);
            sign_in(&mut browser, how);
            let session = browser.session();
            assert_eq!(
                session["user"],
                json!({ "name": "Ada Lovelace", "email": "ada@example.com" }),
                "{how}"
            );
            assert_eq!(session.as_object().unwrap().keys().collect::<Vec<_>>(), ["user", "expires"]);
        }
        // They are there, for callbacks.
        let site = Site::new("1-jwt.js", "");
        site.keep_sessions_in(strategy, "");
        let shows = "export default { callbacks: {
            jwt: ({ token, user }) => user ? { ...token, seen: [user.id, user.role, user.passwordHash.length] } : token,
            session: ({ session, token }) => ({ ...session, seen: token.seen }) } }";
        site.folder.write("hallpass.config.js", shows);
        let server = site.start();
        let mut browser = Browser::new(&server.host);
        sign_in(&mut browser, "credentials");
        assert_eq!(browser.session()["seen"], json!(["42", "admin", "not for browsers".len()]), "{strategy}");
    }
}

#[test]
fn seed_1_2_a_callback_may_wait_for_another_server() {
    let site = Site::new("1-jwt.js", "");
    site.folder.write(
        "hallpass.config.js",
        "export default { callbacks: { async session({ session }) {
           const slow = await $fetch('/api/slow')
           return { ...session, ...slow }
         } } }",
    );
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "credentials");
    assert_eq!(browser.session()["slow"], true);
    assert_eq!(site.api.count("/api/slow"), 1);
}

#[test]
fn seed_1_2_slow_and_failing_servers_end_as_they_should() {
    let site = Site::new("1-jwt.js", "");
    site.folder.write(
        "hallpass.config.js",
        "export default (req) => ({ callbacks: { async session({ session }) {
           return { ...session, ...await $fetch(req.query.ask === 'never' ? '/api/never' : '/api/echo') }
         } } })",
    );
    for strategy in ["jwt", "database"] {
        site.api.fail(false);
        site.keep_sessions_in(strategy, "[javascript]\nquery = [\"ask\"]");
        let server = site.start();
        let mut browser = Browser::new(&server.host);
        sign_in(&mut browser, "credentials");
        // Too slow: nobody is signed in or out.
        let answer = browser.get_with("/api/auth/session?ask=never", SAME_ORIGIN);
        assert_eq!((answer.status, answer.header("set-cookie")), (503, None), "{strategy}: {}", answer.body);
        assert!(answer.header("retry-after").is_some());
        assert_eq!(browser.session()["user"]["name"], "Ada Lovelace");
        // An error: signed out; with a row for this answer only.
        site.api.fail(true);
        assert!(browser.session().is_null(), "{strategy}");
        site.api.fail(false);
        assert_eq!(browser.session().is_null(), strategy == "jwt", "{strategy}");
    }
}

#[test]
fn seed_1_3_the_id_is_in_the_session_for_each_way_to_sign_in() {
    let openid = OpenIdProvider::start();
    for how in ["credentials", "acme", "oidc"] {
        // Each way in a store of its own: they all give the same address, which belongs to one user.
        let site = Site::new("1-jwt.js", &openid.provider());
        let server = site.start();
        let mut browser = Browser::new(&server.host);
        match how {
            "oidc" => assert_eq!(openid.sign_in(&mut browser).status, 302),
            how => sign_in(&mut browser, how),
        }
        let session = browser.session();
        assert_eq!(session["user"]["name"], "Ada Lovelace");
        let id = session["user"]["id"].as_str().unwrap();
        assert!(if how == "credentials" { id == "42" } else { !id.is_empty() }, "{session}");
    }
}

#[test]
fn seed_1_4_the_id_stays_after_reads_a_restart_and_a_new_secret() {
    let site = Site::new("1-jwt.js", "");
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "credentials");
    for _ in 0..10 {
        assert_eq!(browser.session()["user"]["id"], "42");
    }
    drop(server);
    let secrets =
        "secrets = [\"another secret of at least 32 characters\", \"a secret of at least 32 characters\"]";
    for secret in [SECRET, secrets, "secret = \"another secret of at least 32 characters\""] {
        site.settings(secret, "");
        let server = site.start();
        browser = browser.at(&server.host);
        assert_eq!(browser.session()["user"]["id"], "42", "{secret}");
    }
}

#[test]
fn seed_1_5_the_user_is_there_at_sign_in_only() {
    let site = Site::new("1-jwt.js", "");
    site.folder.write(
        "hallpass.config.js",
        "export default { callbacks: {
           jwt({ token, ...rest }) { return { ...token, seen: [...(token.seen ?? []), Object.keys(rest).join(' ')] } },
           session: ({ token }) => ({ user: {}, seen: token.seen }),
         } }",
    );
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "credentials");
    assert_eq!(browser.session()["seen"], json!(["user account isNewUser trigger", ""]));
}

#[test]
fn seed_1_7_with_sessions_in_the_database_the_user_comes_from_there() {
    let site = Site::new("1-database.js", "");
    let server = site.start_in_development();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "acme");
    let session = browser.session();
    assert_eq!(session["user"]["name"], "Ada Lovelace");
    assert_eq!(session["user"]["id"].as_str().map(str::len), Some(36), "{session}");
    assert_eq!(browser.session()["user"]["id"], session["user"]["id"]);
}

#[test]
fn seed_1_8_with_sessions_in_the_database_what_jwt_keeps_is_there_too() {
    let site = Site::new("1-jwt.js", "");
    let with_jwt = fs::read_to_string(site.folder.path().join("hallpass.config.js")).unwrap();
    let with_database =
        with_jwt.replace("export default {", "export default {\nsession: { strategy: 'database' },");
    site.folder.write("hallpass.config.js", &with_database);
    let server = site.start_in_development();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "acme");
    assert_eq!(browser.session()["user"]["id"].as_str().map(str::len), Some(36));
}

#[test]
fn seed_2_1_at_sign_in_jwt_gets_everything_even_what_only_this_provider_has() {
    let site = Site::new("2-jwt.ts", "");
    let source = fs::read_to_string(site.folder.path().join("hallpass.config.ts")).unwrap();
    let logging = source.replace(
        "if (account) {",
        "console.log('given', account, profile, JSON.stringify(token), `${JSON.stringify({ account })}`)
      console.log('names', Object.keys(account ?? {}), profile?.id)
      if (account) {",
    );
    site.folder.write("hallpass.config.ts", &logging);
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "acme");
    browser.session();
    let log = server.log();
    let lines =
        |word: &str| log.lines().filter(|line| line.contains(word)).map(str::to_owned).collect::<Vec<_>>();
    let given = lines("given ");
    // Each value is there, and what its name calls a secret is not: neither now nor once it is in the token.
    assert!(given[0].contains("\"session_token\":\"(hidden)\"") && given[0].contains("\"id\":42"), "{log}");
    assert!(given[0].contains("\"access_token\":\"(hidden)\"") && given[0].contains("acme"), "{log}");
    assert!(given[1].contains("\"sessionToken\":\"(hidden)\""), "{log}");
    let names = lines("names ");
    assert!(names[0].contains("session_token") && names[0].contains(" 42"), "{log}");
    assert!(names[1].ends_with("names [] undefined"), "{log}");
    assert!(!log.contains("abc-123") && !log.contains("access-token-of-acme"), "{log}");
}

#[test]
fn seed_2_1_development_mode_shows_them_with_secrets_masked() {
    let site = Site::new("2-jwt.ts", "");
    let server = site.start_in_development();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "acme");
    let page = browser.get("/").body;
    let timeline = page.split("What the callbacks did").nth(1).unwrap();
    for shown in [
        "&quot;account&quot;: {",
        "&quot;session_token&quot;: &quot;(hidden)&quot;",
        "&quot;access_token&quot;: &quot;(hidden)&quot;",
        "&quot;profile&quot;: {",
        "&quot;id&quot;: 42",
        "&quot;isNewUser&quot;: true",
    ] {
        assert!(timeline.contains(shown), "{shown}: {timeline}");
    }
    assert!(!timeline.contains("access-token-of-acme"), "{timeline}");
}

#[test]
fn seed_2_2_the_token_of_the_provider_is_kept_and_read_later() {
    let site = Site::new("2-jwt.ts", "");
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "acme");
    drop(server);
    site.folder.write(
        "hallpass.config.ts",
        "export default { callbacks: { session: ({ token }) => ({ user: {}, kept: token.sessionToken }) } }",
    );
    let server = site.start();
    assert_eq!(browser.at(&server.host).session()["kept"], "abc-123");
}

#[test]
fn seed_2_3_what_is_too_large_for_cookies_leaves_the_old_session_and_names_the_claim() {
    let site = Site::new("1-jwt.js", "[javascript]\nquery = [\"size\"]");
    site.folder.write(
        "hallpass.config.js",
        "export default (req) => ({ callbacks: {
           jwt({ token }) { if (req.query.size) token.filling = 'x'.repeat(req.query.size); return token },
           session: ({ session, token }) => ({ ...session, size: token.filling?.length ?? 0 }),
         } })",
    );
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "credentials");
    let mut fill = |size: usize| {
        browser.get_with(&format!("/api/auth/session?size={size}"), SAME_ORIGIN);
        let shown = browser.session()["size"].as_u64();
        let names: Vec<_> =
            browser.names().filter(|name| name.contains("session-token")).map(str::to_owned).collect();
        (shown, names)
    };
    let one = ["authjs.session-token"];
    let pieces = |count: usize| (0..count).map(|at| format!("authjs.session-token.{at}")).collect::<Vec<_>>();
    assert_eq!(fill(2500), (Some(2500), one.map(str::to_owned).to_vec()));
    assert_eq!(fill(10_000), (Some(10_000), pieces(4)));
    // Over the budget: nothing changes.
    assert_eq!(fill(100_000), (Some(10_000), pieces(4)));
    // Smaller again, and nothing is left over.
    assert_eq!(fill(6000), (Some(6000), pieces(3)));
    assert_eq!(fill(10), (Some(10), one.map(str::to_owned).to_vec()));
    let log = server.log();
    let refused = log.lines().find(|line| line.contains("`cookie_budget` allows 16384")).unwrap();
    assert!(refused.contains("the largest claims are \"filling\""), "{refused}");
}

#[test]
fn seed_2_5_the_session_callback_runs_whenever_the_session_is_requested() {
    let site = Site::new("1-jwt.js", "");
    site.folder.write(
        "hallpass.config.js",
        "export default { callbacks: { async session({ session }) { await fetch('/api/echo'); return session } } }",
    );
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "credentials");
    for times in 1..=3 {
        browser.session();
        assert_eq!(site.api.count("/api/echo"), times);
    }
}

#[test]
fn seed_2_5_better_what_the_callback_returned_is_kept_for_a_while() {
    let site = Site::new("1-jwt.js", "");
    site.folder.write(
        "hallpass.config.js",
        "export default { callbacks: {
           jwt: ({ token, trigger, session }) => trigger === 'update' ? { ...token, mark: session.mark } : token,
           async session({ session, token }) { await fetch('/api/echo'); return { ...session, mark: token.mark } },
         } }",
    );
    for strategy in ["jwt", "database"] {
        site.settings(SECRET, &format!("[session]\nstrategy = \"{strategy}\"\ncache_for = \"1h\""));
        let server = site.start();
        let [mut browser, mut other] = [Browser::new(&server.host), Browser::new(&server.host)];
        sign_in(&mut browser, "credentials");
        let before = site.api.count("/api/echo");
        for _ in 0..5 {
            assert_eq!(browser.session()["user"]["name"], "Ada Lovelace");
        }
        assert_eq!(site.api.count("/api/echo"), before + 1, "{strategy}");
        // An update drops it.
        assert!(browser.update("{\"mark\":\"new\"}").body.contains("\"mark\":\"new\""));
        assert_eq!(browser.session()["mark"], "new");
        assert_eq!(browser.session()["mark"], "new");
        assert_eq!(site.api.count("/api/echo"), before + 2, "{strategy}");
        // Another session shows what it keeps itself.
        sign_in(&mut other, "credentials");
        assert!(other.session().get("mark").is_none(), "{strategy}");
    }
}

#[test]
fn seed_2_2_and_2_6_run_with_sessions_in_the_database_too() {
    let site = Site::new("2-jwt.ts", "");
    site.keep_sessions_in("database", "");
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "acme");
    assert_eq!(browser.session()["user"]["name"], "Ada Lovelace");
    drop(server);
    site.load("2-session.ts");
    let server = site.start();
    let mut browser = browser.at(&server.host);
    // `token` is what the row keeps.
    assert_eq!(browser.session()["user"], json!({ "name": "Ada", "avatar": "/ada.png", "role": "manager" }));
    // An error: nobody for this answer; the row and its cookie stay.
    site.api.fail(true);
    assert!(browser.session().is_null() && browser.has_session());
    site.api.fail(false);
    assert_eq!(browser.session()["user"]["role"], "manager");
}

#[test]
fn seed_2_6_the_session_is_filled_from_another_server() {
    let site = Site::new("2-jwt.ts", "");
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "acme");
    drop(server);
    site.load("2-session.ts");
    let server = site.start();
    let session = browser.at(&server.host).session();
    assert_eq!(session["user"], json!({ "name": "Ada", "avatar": "/ada.png", "role": "manager" }));
    assert!(session["expires"].is_string());
}

#[test]
fn seed_2_6_the_block_as_it_was_written_is_refused_with_line_and_cure() {
    let site = Site::new("2-session-as-written.ts", "");
    let said = refusal(program(&site.folder, &[]));
    // One line more than in the block: the mark above it.
    assert!(said.contains("hallpass.config.ts, line 9"), "{said}");
    assert!(said.contains("`token` as an argument already: give this one another name"), "{said}");
}

#[test]
fn seed_2_7_an_error_in_the_session_callback_signs_out() {
    let site = Site::new("2-jwt.ts", "");
    let server = site.start();
    let [mut ada, mut other] = [Browser::new(&server.host), Browser::new(&server.host)];
    sign_in(&mut ada, "acme");
    sign_in(&mut other, "acme");
    drop(server);
    site.load("2-session.ts");
    let server = site.start();
    let (mut ada, mut other) = (ada.at(&server.host), other.at(&server.host));
    site.api.fail(true);
    assert!(ada.session().is_null());
    assert!(!ada.has_session());
    site.api.fail(false);
    assert_eq!(other.session()["user"]["role"], "manager");
    let log = server.log();
    assert!(
        log.contains("hallpass.config.ts, line 14, column 63: `session` threw FetchError: [GET] 500"),
        "{log}"
    );
    assert!(!log.contains("abc-123"), "{log}");
}

#[test]
fn seed_3_1_a_name_that_changes_by_update_is_in_the_session_from_then_on() {
    let site = Site::new("1-jwt.js", "");
    site.folder.write(
        "hallpass.config.js",
        "export default { callbacks: { jwt({ token, trigger, session }) {
           if (trigger === 'update' && typeof session?.name === 'string') token.name = session.name
           return token
         } } }",
    );
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "credentials");
    let answer = browser.update("{\"name\":\"Countess\"}");
    assert!(answer.body.contains("Countess"), "{}", answer.body);
    assert_eq!(browser.session()["user"]["name"], "Countess");
}

#[test]
fn seed_3_1_a_person_who_is_renamed_is_seen_so_in_every_session() {
    for strategy in ["jwt", "database"] {
        let site = Site::new("1-jwt.js", "");
        site.keep_sessions_in(strategy, "");
        let server = site.start();
        let [mut first, mut second] = [Browser::new(&server.host), Browser::new(&server.host)];
        for browser in [&mut first, &mut second] {
            sign_in(browser, "acme");
            assert_eq!(browser.session()["user"]["name"], "Ada Lovelace");
        }
        let renamed = run(&site.folder, &["users", "update", "ada@example.com", "--name", "Countess"], "");
        assert!(renamed.status.success(), "{renamed:?}");
        for browser in [&mut first, &mut second] {
            // With tokens, the epoch of a user is asked for again after `revocation_delay`.
            let until = Instant::now() + Duration::from_secs(60);
            while browser.session()["user"]["name"] != "Countess" && Instant::now() < until {
                thread::sleep(Duration::from_millis(100));
            }
            let session = browser.session();
            assert_eq!(session["user"]["name"], "Countess", "{strategy}");
            assert!(session["user"]["id"].is_string(), "{strategy}");
        }
    }
}

#[test]
fn seed_3_2_3_6_3_7_3_9_a_company_that_was_picked_stays() {
    let site = Site::new("3-update.ts", "[javascript]\nquery = [\"companyId\"]");
    for how in ["credentials", "acme"] {
        let server = site.start();
        let mut browser = Browser::new(&server.host);
        sign_in(&mut browser, how);
        assert!(browser.session().get("selectedCompanyId").is_none());
        let answer = browser.get_with("/api/auth/session?companyId=acme-7", SAME_ORIGIN);
        assert!(answer.body.contains("\"selectedCompanyId\":\"acme-7\""), "{}", answer.body);
        assert_eq!(browser.session()["selectedCompanyId"], "acme-7");
        drop(server);
        let server = site.start();
        assert_eq!(browser.at(&server.host).session()["selectedCompanyId"], "acme-7");
    }
}

#[test]
fn seed_3_6_other_keys_are_invisible_and_other_sites_change_nothing() {
    let site = Site::new("3-update.ts", "[javascript]\nquery = [\"companyId\"]");
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "credentials");
    for headers in [
        "sec-fetch-site: cross-site\r\n",
        "sec-fetch-site: same-site\r\n",
        "sec-fetch-site: none\r\n",
        "sec-fetch-site: cross-site\r\nreferer: http://127.0.0.1/\r\n",
        "referer: http://evil.example/\r\n",
        "origin: http://evil.example\r\n",
        "accept: text/html,*/*;q=0.8\r\n",
    ] {
        browser.get_with("/api/auth/session?companyId=evil", headers);
        assert!(browser.session().get("selectedCompanyId").is_none(), "{headers}");
    }
    drop(server);
    site.settings(SECRET, "[javascript]\nquery = [\"other\"]");
    let server = site.start();
    let mut browser = browser.at(&server.host);
    browser.get_with("/api/auth/session?companyId=acme-7", SAME_ORIGIN);
    assert!(browser.session().get("selectedCompanyId").is_none());
}

#[test]
fn seed_3_6_what_says_nothing_of_the_site_counts_as_the_site_itself() {
    let site = Site::new("3-update.ts", "[javascript]\nquery = [\"companyId\"]");
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "credentials");
    browser.get("/api/auth/session?companyId=acme-7");
    assert_eq!(browser.session()["selectedCompanyId"], "acme-7");
}

#[test]
fn seed_3_4_3_13_the_first_login_callback_runs_and_secrets_do_not_get_out() {
    for strategy in ["jwt", "database"] {
        for (how, found) in
            [("credentials", "shows user.passwordHash"), ("acme", "shows user.account.access_token")]
        {
            // The address is that of the other way, too, and belongs to one user.
            let site = Site::new("3-first-login.ts", "");
            site.keep_sessions_in(strategy, "");
            let server = site.start();
            let mut browser = Browser::new(&server.host);
            sign_in(&mut browser, how);
            browser.session();
            let session = browser.session();
            assert_eq!(session["user"]["account"]["provider"], how, "{session}");
            let text = session.to_string();
            for secret in ["access-token-of-acme", "abc-123", "not for browsers"] {
                assert!(!text.contains(secret), "{session}");
            }
            let log = server.log();
            // Once, not at each look.
            assert_eq!(log.matches(found).count(), 1, "{strategy}: {log}");
            assert!(!log.contains("access-token-of-acme"), "{log}");
        }
    }
}

#[test]
fn seed_3_4_in_development_the_error_names_the_field() {
    let site = Site::new("3-first-login.ts", "");
    let mut server = site.start_in_development();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "acme");
    let answer = browser.get("/api/auth/session");
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert!(answer.body.contains("shows user.account.access_token"), "{}", answer.body);
    // It is mended, and nobody has to sign in again.
    assert!(browser.has_session());
    server.wait_for_log("shows user.account.access_token");
}

#[test]
fn seed_3_5_the_wrapper_around_the_handler_runs() {
    let site = Site::new("3-handler.ts", "");
    for strategy in ["jwt", "database"] {
        site.keep_sessions_in(strategy, "");
        let server = site.start();
        let mut browser = Browser::new(&server.host);
        sign_in(&mut browser, "credentials");
        assert_eq!(browser.session()["user"]["account"]["provider"], "credentials", "{strategy}");
        assert_eq!(browser.session()["user"]["id"], "42", "{strategy}");
    }
}

#[test]
fn seed_3_5_every_shape_of_a_configuration_is_taken() {
    let options = "{ callbacks: { session: ({ session }) => ({ ...session, here: true }) } }";
    for source in [
        format!("export default {options}"),
        format!("import {{ NuxtAuthHandler }} from '#auth'\nexport default NuxtAuthHandler({options})"),
        format!("import NextAuth from 'next-auth'\nexport default NextAuth({options})"),
        format!("import NextAuth from 'next-auth'\nexport const {{ handlers, auth }} = NextAuth({options})"),
        format!(
            "import NextAuth from 'next-auth'\nexport const {{ handlers }} = NextAuth(req => ({options}))"
        ),
        format!(
            "import NextAuth from 'next-auth'\nexport const {{ auth }} = NextAuth(async (req) => ({options}))"
        ),
        format!("export const authOptions = {options}"),
        format!(
            "import NextAuth from 'next-auth'\nexport const authOptions = {options}\nexport default NextAuth(authOptions)"
        ),
        format!("export default (req) => ({options})"),
        format!("import {{ ExpressAuth }} from '@auth/express'\nexport default ExpressAuth({options})"),
        format!(
            "import NextAuth from 'next-auth'\nexport default async function auth(req, res) {{ return await NextAuth(req, res, {options}) }}"
        ),
    ] {
        let site = Site::new("1-jwt.js", "");
        site.folder.write("hallpass.config.js", &source);
        let server = site.start();
        let mut browser = Browser::new(&server.host);
        sign_in(&mut browser, "credentials");
        assert_eq!(browser.session()["here"], true, "{source}");
    }
}

#[test]
fn seed_3_8_the_callback_completes_the_data_by_a_call() {
    let site = Site::new("3-update.ts", "[javascript]\nquery = [\"companyId\"]");
    let source = fs::read_to_string(site.folder.path().join("hallpass.config.ts")).unwrap();
    let completing = source.replace(
        "token.selectedCompanyId = req.query.companyId as string",
        "token.selectedCompanyId = await $fetch('/api/echo', { method: 'POST', body: { id: req.query.companyId } })",
    );
    site.folder.write("hallpass.config.ts", &completing);
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "credentials");
    browser.get_with("/api/auth/session?companyId=7", SAME_ORIGIN);
    assert_eq!(browser.session()["selectedCompanyId"], json!({ "id": "7" }));
}

#[test]
fn seed_3_12_a_complex_payload_goes_by_post() {
    let site = Site::new("1-jwt.js", "");
    site.folder.write(
        "hallpass.config.js",
        "export default { callbacks: {
           jwt: ({ token, trigger, session }) => trigger === 'update' ? { ...token, company: session.company } : token,
           session: ({ session, token }) => ({ ...session, company: token.company }),
         } }",
    );
    let server = site.start();
    let mut browser = Browser::new(&server.host);
    sign_in(&mut browser, "credentials");
    browser.update("{\"company\":{\"id\":7,\"role\":[\"a\",\"b\"]}}");
    assert_eq!(browser.session()["company"], json!({ "id": 7, "role": ["a", "b"] }));
}

#[test]
fn seed_3_14_the_same_code_runs_with_sessions_in_the_database() {
    for how in ["credentials", "acme"] {
        let site = Site::new("3-update.ts", "");
        site.keep_sessions_in("database", "[javascript]\nquery = [\"companyId\"]");
        let server = site.start();
        let mut browser = Browser::new(&server.host);
        sign_in(&mut browser, how);
        let answer = browser.get_with("/api/auth/session?companyId=acme-7", SAME_ORIGIN);
        assert!(answer.body.contains("\"selectedCompanyId\":\"acme-7\""), "{}", answer.body);
        let session = browser.session();
        assert_eq!(session["selectedCompanyId"], "acme-7");
        assert_eq!(session["user"]["name"], "Ada Lovelace");
        assert_eq!(session["user"]["account"]["provider"], how, "{session}");
        assert!(!session.to_string().contains("access-token-of-acme"), "{session}");
    }
}

const SAME_ORIGIN: &str = "sec-fetch-site: same-origin\r\n";
