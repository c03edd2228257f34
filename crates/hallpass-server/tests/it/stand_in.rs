//! Development mode stands in for providers, and the real relying party talks to it.

use std::collections::BTreeMap;

use hallpass::providers::ALL;
use serde_json::{Value, json};

use crate::browser::{Answer, Browser, send};
use crate::program::{Folder, Server, program, refusal};

/// Sends the browser to the provider, and returns the path of the page there.
fn start(browser: &mut Browser, provider: &str) -> String {
    let answer = browser.post(&format!("/api/auth/signin/{provider}"), &[("callbackUrl", "/")]);
    path_of(answer.header("location").unwrap_or_else(|| panic!("{provider}: {}", answer.body)))
}

/// Goes on as the page of the stand-in says, with this form, and comes back.
fn go_on(browser: &mut Browser, authorize: &str, form: &[(&str, &str)]) -> Answer {
    let answer = browser.post_bare(authorize, form);
    match answer.header("location") {
        Some(location) => browser.get(&path_of(location)),
        // A form that the browser posts.
        None => {
            let action =
                answer.body.split("<form action=\"").nth(1).unwrap_or_else(|| panic!("{}", answer.body));
            let action = path_of(&unescaped(action.split('"').next().unwrap()));
            let fields = answer.hidden_fields();
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| (name.clone(), unescaped(value))).collect();
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            browser.post_bare(&action, &fields)
        }
    }
}

fn sign_in(browser: &mut Browser, provider: &str, form: &[(&str, &str)]) -> Answer {
    let authorize = start(browser, provider);
    go_on(browser, &authorize, form)
}

/// Whether the last step has signed somebody in.
fn came_back(answer: &Answer) -> bool {
    answer.header("location").is_some_and(|location| !location.contains("error"))
}

fn path_of(address: &str) -> String {
    let rest = address.split_once("://").unwrap().1;
    rest[rest.find('/').unwrap()..].to_owned()
}

fn unescaped(text: &str) -> String {
    let entities =
        [("&quot;", "\""), ("&#x2f;", "/"), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, char)| text.replace(entity, char))
}

/// Of an address.
fn query(address: &str) -> BTreeMap<String, String> {
    let query = address.split_once('?').unwrap().1;
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

#[test]
fn every_provider_of_the_catalogue_signs_in_offline() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    assert!(server.printed.contains("a stand-in for"), "{}", server.printed);
    let mut browser = Browser::new(&server.host);
    for spec in ALL {
        assert!(server.printed.contains(spec.name), "{}", spec.name);
        // The next ones are linked to the first.
        let answer = sign_in(&mut browser, spec.id, &[("person", "zoe")]);
        assert!(came_back(&answer), "{}: {:?} {}", spec.id, answer.headers, answer.body);
        assert_eq!(browser.session()["user"]["email"], "zoe.tanaka@example.com", "{}", spec.id);
    }
    let page = browser.get("/").body;
    let accounts = page.split("id=\"accounts\"").nth(1).unwrap().split("</section>").next().unwrap();
    for spec in ALL {
        assert!(accounts.contains(&format!("<strong>{}</strong>", spec.id)), "{}: {accounts}", spec.id);
    }
}

#[test]
fn the_page_shows_people_in_the_shape_of_the_provider_and_what_may_go_wrong() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    let authorize = start(&mut browser, "github");
    assert!(authorize.starts_with("/dev/idp/github/authorize?"), "{authorize}");
    let page = browser.get(&authorize);
    for part in [
        "Stand-in for GitHub",
        "Robin Hale",
        "Zoë Tanaka",
        "&quot;login&quot;: &quot;robin&quot;",
        "Answer of &#x2f;user&#x2f;emails",
    ] {
        assert!(page.body.contains(part), "{part}");
    }
    // Without an ID token nothing can be wrong with one.
    for (value, is_there) in
        [("denied", true), ("userinfo-down", true), ("wrong-nonce", false), ("rotated-key", false)]
    {
        assert_eq!(page.body.contains(&format!("value=\"{value}\"")), is_there, "{value}");
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        !policy.contains("unsafe") && policy.contains(&format!("form-action 'self' http://{};", server.host))
    );
    assert!(!page.body.contains("<script") && !page.body.contains("style="));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let other = browser.get(&format!("{authorize}&person=kit")).body;
    assert!(other.contains("&quot;login&quot;: &quot;kit&quot;"));
    let authorize = start(&mut browser, "google");
    let page = browser.get(&authorize).body;
    assert!(page.contains("value=\"wrong-nonce\"") && !page.contains("value=\"userinfo-down\""));
    assert!(page.contains("&quot;hd&quot;"));
}

#[test]
fn a_profile_that_was_edited_is_the_one_that_signs_in() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    let emails = json!([{ "email": "grace@example.com", "primary": true, "verified": true }]).to_string();
    let form = [
        ("outcome", "sign-in"),
        ("profile", "{ \"id\": 9, \"login\": \"grace\", \"name\": \"Grace <Hopper>\" }"),
        ("follow_up", &emails),
    ];
    assert!(came_back(&sign_in(&mut browser, "github", &form)));
    assert_eq!(browser.session()["user"], json!({ "name": "Grace <Hopper>", "email": "grace@example.com" }));

    let authorize = start(&mut browser, "github");
    for (text, problem) in [("{", "The profile is not JSON"), ("[1]", "The profile is no JSON object")] {
        let answer = browser.post_bare(&authorize, &[("outcome", "sign-in"), ("profile", text)]);
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains("role=\"alert\"") && answer.body.contains(problem), "{}", answer.body);
        assert!(answer.body.contains(&format!("\n{text}</textarea>")), "{}", answer.body);
    }
}

#[test]
fn what_goes_wrong_is_told_in_plain_words_and_signs_nobody_in() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    for (provider, outcome, code) in [
        ("github", "denied", "OAuthCallbackError"),
        ("apple", "denied", "OAuthCallbackError"),
        ("google", "unknown-key", "Configuration"),
        ("google", "wrong-nonce", "Configuration"),
        ("google", "token-down", "Configuration"),
        ("discord", "token-down", "Configuration"),
        ("gitlab", "userinfo-down", "Configuration"),
    ] {
        let mut browser = Browser::new(&server.host);
        let answer = sign_in(&mut browser, provider, &[("person", "robin"), ("outcome", outcome)]);
        let location =
            answer.header("location").unwrap_or_else(|| panic!("{provider} {outcome}: {}", answer.body));
        assert!(location.ends_with(&format!("error={code}")), "{provider} {outcome}: {location}");
        assert_eq!(browser.session(), Value::Null, "{provider} {outcome}");
    }
}

#[test]
fn nobody_waits_for_slow_tokens_for_ever() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    let answer = sign_in(&mut browser, "gitlab", &[("outcome", "slow-token")]);
    assert!(answer.header("location").unwrap().ends_with("error=Configuration"), "{:?}", answer.headers);
    assert_eq!(browser.session(), Value::Null);
    assert!(server.log().contains("the token endpoint"));
}

#[test]
fn a_rotated_key_is_fetched_and_a_new_one_signs_from_then_on() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let keys = || {
        send(
            &server.host,
            b"GET /dev/idp/google/jwks HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        )
        .body
    };
    assert_eq!(keys().matches("\"kid\"").count(), 1);
    let mut browser = Browser::new(&server.host);
    assert!(came_back(&sign_in(&mut browser, "google", &[("person", "robin")])));
    let mut browser = Browser::new(&server.host);
    assert!(came_back(&sign_in(&mut browser, "google", &[("person", "robin"), ("outcome", "rotated-key")])));
    assert_eq!(keys().matches("\"kid\"").count(), 2);
    assert!(keys().contains("stand-in-2"));
    assert!(came_back(&sign_in(&mut Browser::new(&server.host), "google", &[("person", "robin")])));
}

#[test]
fn an_address_that_nobody_has_checked_is_not_taken_for_proven() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    for (person, outcome, words) in [
        ("robin", "sign-in", "address proven"),
        ("zoe", "unverified", "address unproven"),
        ("kit", "sign-in", "address unproven"),
    ] {
        let mut browser = Browser::new(&server.host);
        assert!(came_back(&sign_in(&mut browser, "github", &[("person", person), ("outcome", outcome)])));
        let page = browser.get("/").body;
        let accounts = page.split("id=\"accounts\"").nth(1).unwrap().split("</section>").next().unwrap();
        assert!(accounts.contains(&format!(">{words}<")), "{person}: {accounts}");
    }
}

#[test]
fn apple_posts_the_name_the_first_time_only() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    let authorize = start(&mut browser, "apple");
    assert!(authorize.contains("response_mode=form_post"), "{authorize}");
    assert!(browser.get(&authorize).body.contains("firstName"));
    let first = browser.post_bare(&authorize, &[("person", "robin")]);
    assert!(
        first.body.contains("Continue to 127.0.0.1") && first.body.contains("firstName"),
        "{}",
        first.body
    );
    let again = browser.post_bare(&authorize, &[("person", "robin")]);
    assert!(again.body.contains("Continue to 127.0.0.1") && !again.body.contains("firstName"));
    assert!(browser.post_bare(&authorize, &[("person", "zoe")]).body.contains("firstName"));
    assert!(came_back(&sign_in(
        &mut browser,
        "apple",
        &[("profile", "{\"sub\":\"1\"}"), ("posted", "{\"user\":{\"name\":{\"firstName\":\"Jean\"}}}")]
    )));
    assert_eq!(browser.session()["user"]["name"], "Jean");
}

/// Redeems a code as the server would; the changes are in the form, the secret is not known to anybody.
#[test]
fn the_token_endpoint_takes_nobody_but_this_server() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    let authorize = start(&mut browser, "google");
    let back = browser.post_bare(&authorize, &[("person", "robin")]);
    let code = query(back.header("location").unwrap())["code"].clone();
    for secret in ["", "secret", "hallpass"] {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("client_id", "hallpass"),
            ("client_secret", secret),
        ];
        let answer = Browser::new(&server.host).post_bare("/dev/idp/google/token", &form);
        assert_eq!(answer.status, 401, "{}", answer.body);
        assert!(answer.body.contains("invalid_client"));
    }
    // It was no try: the code is still good.
    assert!(came_back(&browser.get(&path_of(back.header("location").unwrap()))));
    for path in ["userinfo", "follow-up"] {
        let answer = Browser::new(&server.host)
            .get_with(&format!("/dev/idp/google/{path}"), "authorization: Bearer x\r\n");
        assert_eq!(answer.status, 401);
    }
}

#[test]
fn an_authorization_request_that_is_not_ours_is_refused_and_sends_nobody_anywhere() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    let authorize = start(&mut browser, "google");
    let good = query(&authorize);
    for (name, value) in [
        ("client_id", "another"),
        ("response_type", "token"),
        ("redirect_uri", "https://evil.example/callback/google"),
        ("redirect_uri", "javascript://localhost/callback/google"),
        ("redirect_uri", "http://127.0.0.1:1/elsewhere"),
        ("redirect_uri", ""),
        ("code_challenge_method", "plain"),
    ] {
        let mut query = good.clone();
        query.insert(name.to_owned(), value.to_owned());
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish();
        let path = format!("/dev/idp/google/authorize?{query}");
        for answer in [browser.get(&path), browser.post_bare(&path, &[("person", "robin")])] {
            assert_eq!((answer.status, answer.header("location")), (400, None), "{name} {value}");
            assert!(answer.body.contains("refuses"), "{}", answer.body);
        }
    }
}

#[test]
fn the_code_of_another_sign_in_is_worth_nothing() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    // The code of one browser, brought by another whose verifier is its own.
    let (mut robin, mut eve) = (Browser::new(&server.host), Browser::new(&server.host));
    let (authorize, own) = (start(&mut robin, "google"), start(&mut eve, "google"));
    let back = robin.post_bare(&authorize, &[("person", "robin")]);
    let stolen = query(back.header("location").unwrap())["code"].clone();
    let back = eve.post_bare(&own, &[("person", "zoe")]);
    let mut path = path_of(back.header("location").unwrap());
    let code = query(&path)["code"].clone();
    path = path.replace(&code, &stolen);
    assert!(eve.get(&path).header("location").unwrap().contains("error="), "{path}");
    assert_eq!(eve.session(), Value::Null);
    assert!(server.log().contains("invalid_grant"));
}

#[test]
fn whatever_is_sent_is_answered() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    let authorize = start(&mut browser, "google");
    let bodies: [&[u8]; 5] =
        [b"", b"profile=%FF%FE&posted=%00", b"outcome=\xff\x00", b"{}", &[b'x'; 3_000_000]];
    for path in [
        &authorize,
        "/dev/idp/google/authorize",
        "/dev/idp/google/token",
        "/dev/idp/%FF/token",
        "/dev/sessions",
    ] {
        for kind in ["application/x-www-form-urlencoded", "application/json"] {
            for body in bodies {
                let head = format!(
                    "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Basic /\r\ncontent-type: {kind}\r\n\
                     content-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let status = send(&server.host, &[head.as_bytes(), body].concat()).status;
                // A server that has read enough closes the connection, perhaps before its answer was read.
                let is_fine = (200..500).contains(&status) || (status == 0 && body.len() > 1_000_000);
                assert!(is_fine, "{path} {kind} {} bytes: {status}", body.len());
            }
        }
    }
    for path in ["userinfo", "follow-up"] {
        let path = format!("/dev/idp/google/{path}");
        assert_eq!(browser.get_with(&path, "authorization: Bearer \u{ff}\r\n").status, 401);
    }
    assert!(came_back(&go_on(&mut browser, &authorize, &[("person", "nobody")])));
    assert!(!server.log().contains("panicked"));
}

#[test]
fn what_is_configured_is_real_unless_the_settings_ask_for_a_stand_in() {
    let github = [("AUTH_GITHUB_ID", "id"), ("AUTH_GITHUB_SECRET", "secret")];
    for (settings, is_real, google_is_there) in [
        ("", true, true),
        ("[dev]\nstand_in = true\n", false, true),
        ("[dev]\nstand_in = false\n", true, false),
        ("[dev]\nstand_in = [\"github\"]\n", false, false),
    ] {
        let folder = Folder::new();
        folder.write("hallpass.toml", settings);
        let mut command = program(&folder, &["dev", "--listen", "127.0.0.1:0"]);
        command.envs(github);
        let server = Server::start(command);
        let mut browser = Browser::new(&server.host);
        let answer = browser.post("/api/auth/signin/github", &[]);
        let location = answer.header("location").unwrap();
        assert_eq!(location.starts_with("https://github.com/"), is_real, "{settings}: {location}");
        let page = browser.get("/api/auth/signin").body;
        assert_eq!(page.contains("Sign in with Google"), google_is_there, "{settings}");
        let status = browser.get("/dev/idp/google/jwks").status;
        assert_eq!(status, if google_is_there { 200 } else { 404 }, "{settings}");
    }
}

#[test]
fn a_configuration_in_javascript_says_which_providers_there_are() {
    let folder = Folder::new();
    folder.write(
        "hallpass.config.mjs",
        "import GitHub from '@auth/core/providers/github'\nexport default { providers: [GitHub({ profile: (it) => ({ id: String(it.id), name: it.login }) })] }",
    );
    let server = Server::development(&folder);
    let mut browser = Browser::new(&server.host);
    let page = browser.get("/api/auth/signin").body;
    assert!(page.contains("Sign in with GitHub") && !page.contains("Sign in with Google"), "{page}");
    assert!(came_back(&sign_in(&mut browser, "github", &[("person", "robin")])));
    assert_eq!(browser.session()["user"]["name"], "robin");

    // The file is read again, and there is another stand-in with other keys.
    folder.write(
        "hallpass.config.mjs",
        "import Google from '@auth/core/providers/google'\nexport default { providers: [Google] }\n",
    );
    let mut browser = Browser::new(&server.host);
    assert!(came_back(&sign_in(&mut browser, "google", &[("person", "zoe")])));
    assert_eq!(browser.session()["user"]["name"], "Zoë Tanaka");
    assert!(!browser.get("/api/auth/signin").body.contains("Sign in with GitHub"));
}

#[test]
fn the_sign_in_page_shows_them_behind_the_demo_users() {
    let folder = Folder::new();
    let server = Server::development(&folder);
    let page = Browser::new(&server.host).get("/api/auth/signin").body;
    assert!(page.find("name=\"password\"").unwrap() < page.find("Sign in with Apple").unwrap());
}

#[test]
fn without_development_mode_there_is_no_stand_in() {
    let folder = Folder::new();
    folder.write("hallpass.toml", "secret = \"a secret of at least 32 characters\"\n");
    let mut command = program(&folder, &["serve", "--listen", "127.0.0.1:0"]);
    command.env("AUTH_GITHUB_ID", "id").env("AUTH_GITHUB_SECRET", "secret");
    let server = Server::start(command);
    let mut browser = Browser::new(&server.host);
    for path in ["github/authorize", "github/token", "github/jwks", "google/.well-known/openid-configuration"]
    {
        assert_eq!(browser.get(&format!("/dev/idp/{path}")).status, 404, "{path}");
        assert_eq!(browser.post_bare(&format!("/dev/idp/{path}"), &[]).status, 404, "{path}");
    }
    assert!(!browser.get("/api/auth/signin").body.contains("Google"));
    let location = browser.post("/api/auth/signin/github", &[]);
    assert!(location.header("location").unwrap().starts_with("https://github.com/"));
}

#[test]
fn its_settings_are_a_mistake_without_development_mode() {
    let folder = Folder::new();
    folder
        .write("hallpass.toml", "secret = \"a secret of at least 32 characters\"\n[dev]\nstand_in = true\n");
    let mut command = program(&folder, &["serve"]);
    command.env("AUTH_GITHUB_ID", "id").env("AUTH_GITHUB_SECRET", "secret");
    let said = refusal(command);
    assert!(said.contains("[dev] is for development mode"), "{said}");
    folder.write("hallpass.toml", "[dev]\nstand_in = [\"githup\"]\nstandin = 1\n");
    let said = refusal(program(&folder, &["dev"]));
    assert!(said.contains("did you mean \"github\"?") && said.contains("unknown key `standin`"), "{said}");
    folder.write("hallpass.toml", "[dev]\nstand_in = \"github\"\n");
    assert!(refusal(program(&folder, &["dev"])).contains("true, false or a list of providers"));
}

#[test]
fn development_mode_has_a_command_of_its_own_that_stays_on_this_machine() {
    let folder = Folder::new();
    folder.write("hallpass.toml", "[theme]\ntitle = \"Acme\"\n");
    let server = Server::start(program(&folder, &["dev", "--listen", "127.0.0.1:0"]));
    assert!(server.printed.contains("Development mode, for this machine only"));
    assert!(Browser::new(&server.host).get("/api/auth/signin").body.contains("Acme"));
    assert!(refusal(program(&folder, &["dev", "--listen", "0.0.0.0:0"])).contains("for this machine only"));
    let request = "GET /dev/idp/github/jwks HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n";
    assert_eq!(send(&server.host, request.as_bytes()).status, 421);
}

#[test]
fn check_and_doctor_know_that_nobody_else_is_to_be_asked() {
    let folder = Folder::new();
    let github = [("AUTH_GITHUB_ID", "id"), ("AUTH_GITHUB_SECRET", "secret")];
    let told = |arguments: &[&str]| {
        let output = program(&folder, arguments).envs(github).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let check = told(&["check", "--dev"]);
    assert!(
        check.contains("GitHub (github)\n") && check.contains("Google (google), a stand-in\n"),
        "{check}"
    );
    let registered = check.split("To be registered").nth(1).unwrap();
    assert!(registered.contains("/callback/github") && !registered.contains("/callback/google"), "{check}");
    let check: Value = serde_json::from_str(&told(&["check", "--dev", "--json"])).unwrap();
    for provider in check["providers"].as_array().unwrap() {
        let is_stand_in = ALL.iter().any(|spec| provider["id"] == spec.id) && provider["id"] != "github";
        assert_eq!(provider["standIn"], is_stand_in, "{provider}");
    }

    // No provider is asked that is not on this machine.
    folder.write("hallpass.toml", "[dev]\nstand_in = true\n");
    let doctor = told(&["doctor", "--dev"]);
    assert!(doctor.contains("stands in for Apple, "), "{doctor}");
    assert!(!doctor.contains("PROBLEM provider"), "{doctor}");
}
