//! Configurations that mean harm, or were written in a hurry: what they do stays within bounds, is logged, and other
//! requests go on.

use std::thread;

use serde_json::json;

use crate::api::{self, Api};
use crate::browser::Browser;
use crate::program::{Folder, Server, program};

/// `session` does what the query says; only its answer is of interest.
fn site(body: &str, more: &str) -> (Folder, Server) {
    let folder = Folder::new();
    let settings =
        format!("listen = \"127.0.0.1:0\"\n{more}\n[javascript]\nquery = [\"do\"]\ntime_limit = \"1s\"\n");
    folder.write("hallpass.toml", &settings);
    folder.write(
        "hallpass.config.js",
        &format!(
            "import Credentials from '@auth/core/providers/credentials'
             export default (req) => ({{
               secret: 'a secret of at least 32 characters',
               providers: [Credentials({{ authorize: ({{ username }}) => ({{ id: username, name: 'Ada' }}) }})],
               callbacks: {{ async session({{ session }}) {{
                 if (req.query.do) {{ {body} }}
                 return session
               }} }},
             }})"
        ),
    );
    let server = Server::start(program(&folder, &[]));
    (folder, server)
}

fn signed_in(server: &Server) -> Browser {
    signed_in_as("x", server)
}

fn signed_in_as(person: &str, server: &Server) -> Browser {
    let mut browser = Browser::new(&server.host);
    browser.sign_in(person, "x");
    assert!(browser.has_session());
    browser
}

fn harm(browser: &mut Browser) -> crate::browser::Answer {
    browser.get_with("/api/auth/session?do=it", "sec-fetch-site: same-origin\r\n")
}

/// The harm is answered so, within bounds, while others are answered as ever.
fn contained(body: &str, status: u16, log: &str) {
    let (_folder, server) = site(body, "");
    let (mut harmed, mut other) = (signed_in(&server), signed_in(&server));
    // Whoever reads an answer gives up after a while, so this ends.
    let running = thread::spawn(move || (harm(&mut harmed), harmed));
    for _ in 0..20 {
        assert_eq!(other.session()["user"]["name"], "Ada");
    }
    let (answer, mut harmed) = running.join().unwrap();
    assert_eq!(answer.status, status, "{}", answer.body);
    if status == 503 {
        assert!(answer.header("retry-after").is_some());
        assert_eq!(harmed.session()["user"]["name"], "Ada");
    }
    let said = server.log();
    assert!(said.contains(log) && said.contains("hallpass.config.js"), "{said}");
}

#[test]
fn an_endless_loop_ends() {
    contained("while (true) {}", 503, "no answer within 1000 ms");
}

#[test]
fn an_endless_loop_after_waiting_ends() {
    contained("await null; for (;;);", 503, "no answer within 1000 ms");
}

#[test]
fn endless_small_steps_end() {
    contained("while (true) await null", 503, "no answer within 1000 ms");
}

#[test]
fn an_endless_loop_cannot_be_kept_alive_by_catching() {
    contained(
        "for (;;) try { for (;;); } catch { continue } finally { for (;;); }",
        503,
        "no answer within 1000 ms",
    );
}

#[test]
fn a_gigabyte_is_not_to_be_had() {
    contained("const all = []; for (;;) all.push('x'.repeat(1e7) + all.length)", 503, "out of memory");
    contained("return new ArrayBuffer(1e9)", 503, "out of memory");
}

#[test]
fn deep_recursion_ends() {
    contained("const down = () => down() + 1; down()", 200, "call stack");
}

#[test]
fn a_promise_that_nobody_resolves_is_not_waited_for() {
    contained("await new Promise(() => {})", 503, "a promise that nobody will resolve");
}

#[test]
fn a_long_sleep_ends() {
    contained("await new Promise((resolve) => setTimeout(resolve, 60_000))", 503, "no answer within 1000 ms");
}

#[test]
fn what_a_callback_throws_signs_out_and_is_logged_with_its_line() {
    let (_folder, server) = site("throw new Error('so it is')", "");
    let mut browser = signed_in(&server);
    assert_eq!(harm(&mut browser).body, "null");
    assert!(!browser.has_session());
    let log = server.log();
    assert!(
        log.contains("hallpass.config.js, line 6, column") && log.contains("`session` threw Error: so it is"),
        "{log}"
    );
}

#[test]
fn one_call_cannot_poison_what_the_next_one_stands_on() {
    for poison in [
        "Object.prototype.admin = true",
        "Array.prototype.map = () => 'mine'",
        "JSON.parse = () => ({ admin: true })",
        "globalThis.JSON = { parse: () => ({}), stringify: () => '{}' }",
        "session.__proto__.admin = true",
        "session.constructor.prototype.admin = true",
        "({}).toString.call = 1; Object.prototype.toString = () => 'mine'",
        "Promise.prototype.then = () => 1",
        "Object.defineProperty(Object.prototype, 'admin', { value: true })",
        "Object.setPrototypeOf(Object.prototype, { admin: true })",
        "globalThis.process = { env: { AUTH_MARK: 'mine' } }",
        "process.env = { AUTH_MARK: 'mine' }",
        "process.env.AUTH_MARK = 'mine'",
        "delete process.env.AUTH_MARK",
        "process.nextTick = () => {}",
    ] {
        let (_folder, server) =
            site(&format!("try {{ {poison} }} catch {{}} ; return {{ ...session, poisoned: true }}"), "");
        let mut browser = signed_in(&server);
        harm(&mut browser);
        for _ in 0..5 {
            let session = browser.session();
            assert_eq!(session["user"], json!({ "name": "Ada" }), "{poison}");
            assert_eq!(session.as_object().unwrap().len(), 2, "{poison}: {session}");
        }
        // As it was set, where the next call looks.
        let look =
            "return { ...session, seen: [process.env.MARK ?? 'none', typeof process.nextTick].join(' ') }";
        let poison = poison.replace("AUTH_MARK", "MARK");
        let body =
            format!("if (req.query.do === 'it') {{ try {{ {poison} }} catch {{}} }} else {{ {look} }}");
        let (_folder, server) = site(&body, "");
        let mut browser = signed_in(&server);
        harm(&mut browser);
        let answer = browser.get_with("/api/auth/session?do=look", "sec-fetch-site: same-origin\r\n").body;
        assert!(answer.contains("\"seen\":\"none function\""), "{poison}: {answer}");
    }
    let (_folder, server) = site("return { ...session, admin: {}.admin ?? 'no' }", "");
    let mut browser = signed_in(&server);
    assert!(harm(&mut browser).body.contains("\"admin\":\"no\""));
}

#[test]
fn inherited_names_can_still_be_given_to_ones_own_objects() {
    let (_folder, server) = site(
        "const error = new Error('a'); error.name = 'Mine'; error.message = 'b'
         const it = {}; it.toString = () => 'own'; it.constructor = 1
         class Own extends Error { constructor() { super('x'); this.name = 'Own' } }
         return { ...session, shown: [String(error), `${it}`, new Own().name] }",
        "",
    );
    let mut browser = signed_in(&server);
    let answer = harm(&mut browser).body;
    assert!(answer.contains(r#""shown":["Mine: b","own","Own"]"#), "{answer}");
}

#[test]
fn addresses_inside_the_network_are_not_asked() {
    let api = Api::start();
    for (url, allow) in [
        ("http://169.254.169.254/latest/meta-data".to_owned(), ""),
        ("https://169.254.169.254/".to_owned(), ""),
        ("http://[fe80::1]/".to_owned(), ""),
        ("https://10.0.0.1/".to_owned(), ""),
        (format!("{}/api/echo", api.origin), ""),
        ("file:///etc/passwd".to_owned(), ""),
        ("http://0x7f000001/".to_owned(), ""),
        ("http://169.254.169.254/".to_owned(), "allow = [\"http://169.254.169.254\"]"),
        (format!("{}/api/to-link-local", api.origin), "allow = [\"ORIGIN\"]"),
        (format!("{}/api/to-other", api.origin), "allow = [\"ORIGIN\"]"),
    ] {
        let allow = allow.replace("ORIGIN", &api.origin);
        let (_folder, server) = site(
            &format!(
                "try {{ await fetch('{url}'); return {{ ...session, got: 'it' }} }}
                 catch (error) {{ return {{ ...session, refused: error.message }} }}"
            ),
            &format!("[fetch]\nbase_url = \"https://api.example.com\"\n{allow}"),
        );
        let mut browser = signed_in(&server);
        let answer = harm(&mut browser).body;
        assert!(answer.contains("may not be asked"), "{url}: {answer}");
    }
    assert_eq!(api.count("/api/echo"), 0);
}

#[test]
fn a_server_that_is_allowed_by_name_is_asked_and_may_redirect_to_itself() {
    let api = Api::start();
    let (_folder, server) = site(
        &format!(
            "const response = await fetch('{}/api/to-echo', {{ method: 'POST', body: 'hello' }})
             return {{ ...session, got: await response.text(), redirected: response.redirected }}",
            api.origin
        ),
        &format!("[fetch]\nallow = [\"{}\"]", api.origin),
    );
    let mut browser = signed_in(&server);
    let answer = harm(&mut browser).body;
    assert!(answer.contains(r#""got":"hello","redirected":true"#), "{answer}");
}

#[test]
fn a_server_that_does_not_answer_in_time_is_a_503_and_nobody_is_signed_out() {
    let api = Api::start();
    let (_folder, server) =
        site("await fetch('/api/never')", &format!("[fetch]\nbase_url = \"{}\"", api.origin));
    let mut browser = signed_in(&server);
    assert_eq!(harm(&mut browser).status, 503);
    assert!(browser.has_session());
    assert_eq!(browser.session()["user"]["name"], "Ada");
}

/// `jwt` or `session` does this whenever the session is read, and is given nothing else.
fn down(strategy: &str, callback: &str, body: &str, base_url: &str) -> (Folder, Server) {
    let folder = Folder::new();
    let settings = "listen = \"127.0.0.1:0\"\nsecret = \"a secret of at least 32 characters\"\n";
    folder.write(
        "hallpass.toml",
        &format!("{settings}[session]\nstrategy = \"{strategy}\"\n[fetch]\nbase_url = \"{base_url}\"\n"),
    );
    let ask = |name: &str| if name == callback { body.to_owned() } else { String::new() };
    folder.write(
        "hallpass.config.js",
        &format!(
            "import Credentials from '@auth/core/providers/credentials'
             export default {{
               providers: [Credentials({{ authorize: () => ({{ id: '1', name: 'Ada' }}) }})],
               callbacks: {{
                 async jwt({{ token, user }}) {{ if (user) return token; {} return token }},
                 async session({{ session, token }}) {{ {} return {{ user: {{ name: token.name }}, found: token.found }} }},
               }},
             }}",
            ask("jwt"),
            ask("session")
        ),
    );
    let server = Server::start(program(&folder, &[]));
    (folder, server)
}

#[test]
fn an_api_that_refuses_connections_is_a_503_and_nobody_is_signed_out() {
    let nobody = api::nobody();
    for strategy in ["jwt", "database"] {
        for callback in ["jwt", "session"] {
            for body in [
                "await fetch('/api/people');",
                "await $fetch('/api/people');",
                "try { await fetch('/api/people') } catch (cause) { throw new Error('no people', { cause }) }",
                "await Promise.any([fetch('/a'), fetch('/b')]);",
            ] {
                let (_folder, server) = down(strategy, callback, body, &nobody);
                let mut browser = signed_in(&server);
                let before: Vec<_> = browser.cookies().map(str::to_owned).collect();
                let answer = browser.get("/api/auth/session");
                let what = format!("{strategy} {callback} {body}: {}", answer.body);
                assert_eq!(answer.status, 503, "{what}");
                assert!(answer.header("retry-after").is_some(), "{what}");
                assert_eq!(answer.header("set-cookie"), None, "{what}");
                assert!(browser.cookies().eq(&before), "{what}");
                let log = server.log();
                assert!(log.contains("hallpass.config.js, line ") && log.contains(callback), "{what}: {log}");
            }
        }
    }
}

#[test]
fn a_callback_that_catches_that_an_api_is_away_decides_itself() {
    let nobody = api::nobody();
    for strategy in ["jwt", "database"] {
        for callback in ["jwt", "session"] {
            let body = "token.found = await fetch('/api/people').catch((error) => error.message);";
            let (_folder, server) = down(strategy, callback, body, &nobody);
            let mut browser = signed_in(&server);
            let session = browser.session();
            assert_eq!(session["found"], format!("fetch failed: {nobody} does not answer"), "{session}");
            assert_eq!(session["user"]["name"], "Ada");
        }
    }
    // What it throws in its place is its own, too.
    let body = "await fetch('/api/people').catch(() => { throw new Error('my own') });";
    let (_folder, server) = down("jwt", "session", body, &nobody);
    let mut browser = signed_in(&server);
    assert!(browser.session().is_null() && !browser.has_session());
}

#[test]
fn an_api_that_answers_with_an_error_signs_out_as_anything_that_is_thrown() {
    let api = Api::start();
    api.fail(true);
    for callback in ["jwt", "session"] {
        let (_folder, server) = down("jwt", callback, "await $fetch('/api/echo');", &api.origin);
        let mut browser = signed_in(&server);
        assert!(browser.session().is_null() && !browser.has_session(), "{callback}");
    }
}

#[test]
fn what_fetch_takes_is_bounded_and_configurable() {
    let api = Api::start();
    let body =
        "const answer = await fetch('/api/size/5000').then((it) => it.text(), (error) => error.message)
                return { ...session, answer }";
    let fetch = format!("[fetch]\nbase_url = \"{}\"\n", api.origin);
    let answered = |body: &str, more: &str| {
        let (folder, server) = site(body, &format!("{fetch}{more}"));
        let mut browser = signed_in(&server);
        let answer = harm(&mut browser);
        drop(folder);
        (answer.status, answer.body, server.log())
    };
    assert!(answered(body, "").1.contains(&"x".repeat(5000)));
    let (_, told, _) = answered(body, "max_body = 4999");
    assert!(told.contains("fetch failed: the answer is larger than 4999 bytes"), "{told}");
    assert!(answered(body, "max_body = 5000").1.contains(&"x".repeat(5000)));
    // Not caught, it is an error like others, and the log says what to do.
    let (status, told, log) = answered("await fetch('/api/size/5000')", "max_body = 4999");
    assert_eq!((status, told.as_str()), (200, "null"));
    assert!(log.contains("raise `max_body` in [fetch]"), "{log}");
    // The default.
    let large = "await fetch('/api/size/1048577')";
    assert!(answered(large, "").2.contains("the answer is larger than 1048576 bytes"));
}

#[test]
fn an_answer_that_takes_longer_than_fetch_waits_is_a_503() {
    let api = Api::start();
    let folder = Folder::new();
    folder.write(
        "hallpass.toml",
        &format!(
            "listen = \"127.0.0.1:0\"\nsecret = \"a secret of at least 32 characters\"\n\
             [javascript]\ntime_limit = \"9s\"\n[fetch]\nbase_url = \"{}\"\ntimeout = \"1s\"\n",
            api.origin
        ),
    );
    folder.write(
        "hallpass.config.js",
        "import Credentials from '@auth/core/providers/credentials'
         export default {
           providers: [Credentials({ authorize: () => ({ id: '1', name: 'Ada' }) })],
           callbacks: { async session({ session }) { await fetch('/api/never'); return session } },
         }",
    );
    let server = Server::start(program(&folder, &[]));
    let mut browser = signed_in(&server);
    assert_eq!(browser.get("/api/auth/session").status, 503);
    let log = server.log();
    assert!(log.contains(&format!("fetch failed: {} does not answer in time", api.origin)), "{log}");
}

#[test]
fn many_loops_at_once_leave_room_for_others() {
    let (_folder, server) = site("while (true) {}", "");
    let mut other = signed_in_as("other", &server);
    let mut loops = Vec::new();
    for _ in 0..8 {
        let mut browser = signed_in(&server);
        loops.push(thread::spawn(move || harm(&mut browser).status));
    }
    for _ in 0..20 {
        assert_eq!(other.session()["user"]["name"], "Ada");
    }
    for running in loops {
        assert_eq!(running.join().unwrap(), 503);
    }
}

/// All at once, each with a session of its own.
fn loop_as(people: &[String], server: &Server) -> Vec<thread::JoinHandle<u16>> {
    let browsers: Vec<_> = people.iter().map(|person| signed_in_as(person, server)).collect();
    let loops = browsers.into_iter().map(|mut browser| thread::spawn(move || harm(&mut browser).status));
    loops.collect()
}

#[test]
fn one_person_does_not_take_all_contexts() {
    // None of them computes, so that only what one person may take stands between them and all contexts.
    let (_folder, server) = site("await new Promise((resolve) => setTimeout(resolve, 60_000))", "");
    let mut other = signed_in_as("other", &server);
    let loops = loop_as(&vec!["eve".to_owned(); 80], &server);
    for _ in 0..20 {
        assert_eq!(other.session()["user"]["name"], "Ada");
    }
    assert!(loops.into_iter().all(|it| it.join().unwrap() == 503));
    let log = server.log();
    assert!(log.contains("8 callbacks of this person are running already"), "{log}");
    assert!(!log.contains("64 callbacks are running already"), "{log}");
}

#[test]
fn many_people_who_loop_do_not_take_all_contexts() {
    let (_folder, server) = site("for (;;) try { for (;;); } catch {}", "");
    let mut other = signed_in_as("other", &server);
    let people: Vec<_> = (0..40).map(|number| format!("eve{number}")).collect();
    let loops = loop_as(&people, &server);
    // Answered before the first loop has ended by itself.
    assert_eq!(other.session()["user"]["name"], "Ada");
    assert!(loops.iter().any(|it| !it.is_finished()));
    for _ in 0..20 {
        assert_eq!(other.session()["user"]["name"], "Ada");
    }
    assert!(loops.into_iter().all(|it| it.join().unwrap() == 503));
    let log = server.log();
    assert!(log.contains("too many callbacks compute for long"), "{log}");
    assert!(!log.contains("64 callbacks are running already"), "{log}");
}

#[test]
fn there_is_no_file_system_and_no_foreign_environment() {
    let (_folder, server) = site(
        "return { ...session, names: ['require', 'std', 'os', 'Deno', 'Bun', 'importScripts'].filter((it) => it in globalThis),
                  env: Object.keys(process.env), imported: await import('fs').catch((error) => error.name) }",
        "",
    );
    let mut browser = signed_in(&server);
    let answer = harm(&mut browser).body;
    assert!(answer.contains(r#""names":[],"env":[],"imported":"ReferenceError""#), "{answer}");
}
