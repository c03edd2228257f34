//! One-liners in the settings.

use serde_json::json;

use crate::api::Api;
use crate::browser::Browser;
use crate::program::{Folder, Server, program, refusal};

const SETTINGS: &str = "listen = \"127.0.0.1:0\"\nsecret = \"a secret of at least 32 characters\"\n";

/// Ada comes with the provider `acme`, which does not vouch for her address.
fn site(more: &str) -> (Api, Folder, Server) {
    let api = Api::start();
    let folder = Folder::new();
    folder.write("hallpass.toml", &format!("{SETTINGS}{}{more}", api.provider()));
    let server = Server::start(program(&folder, &[]));
    (api, folder, server)
}

#[test]
fn claims_are_made_at_sign_in_and_the_view_shows_them() {
    let more = "[claims]\nteam = '''user.email.endsWith(\"@example.com\") ? \"staff\" : \"guest\"'''\n\
                number = 'profile.id + 1'\nlist = '[account.provider, account.type]'\n\
                [view]\nuser.team = 'claims.team'\nnumbers.own = 'claims.number'\nuser.id = 'user.id'\nlist = 'claims.list'\n";
    for strategy in ["jwt", "database"] {
        let (_api, _folder, server) = site(&format!("{more}[session]\nstrategy = \"{strategy}\"\n"));
        let mut browser = Browser::new(&server.host);
        assert_eq!(browser.sign_in_with("acme").status, 302);
        let session = browser.session();
        assert_eq!(session["user"]["team"], "staff", "{session}");
        assert_eq!(session["user"]["name"], "Ada Lovelace");
        assert_eq!(session["numbers"], json!({ "own": 43 }));
        assert_eq!(session["list"], json!(["acme", "oauth"]));
        assert!(!session["user"]["id"].as_str().unwrap().is_empty());
        // Clients change nothing.
        assert_eq!(browser.update(r#"{"team":"boss"}"#).status, 400);
        assert_eq!(browser.session()["user"]["team"], "staff");
    }
}

#[test]
fn without_a_view_the_browser_sees_what_it_always_does() {
    let (_api, _folder, server) = site("[claims]\nsecret_number = '7'\nrole = '\"editor\"'\n");
    let mut browser = Browser::new(&server.host);
    browser.sign_in_with("acme");
    assert_eq!(
        browser.session()["user"],
        json!({ "name": "Ada Lovelace", "email": "ada@example.com", "role": "editor" })
    );
}

#[test]
fn nothing_but_true_lets_anybody_in() {
    for (condition, is_let_in) in [
        ("user.email.endsWith(\"@example.com\")", true),
        ("user.email.endsWith(\"@acme.example\")", false),
        // Nobody vouches for the address.
        ("email_verified && user.email.endsWith(\"@example.com\")", false),
        ("!email_verified", true),
        ("profile.missing == 1", false),
        ("user.email", false),
        ("1 / 0 == 1", false),
        ("profile.name < 3", false),
    ] {
        let (_api, _folder, server) = site(&format!("[conditions]\nsign_in = '{condition}'\n"));
        let mut browser = Browser::new(&server.host);
        let answer = browser.sign_in_with("acme");
        assert_eq!(browser.has_session(), is_let_in, "{condition}");
        let location = answer.header("location").unwrap();
        assert_eq!(location.contains("error=AccessDenied"), !is_let_in, "{condition}: {location}");
        assert!(!server.log().contains("ada@example.com"), "{condition}");
    }
}

#[test]
fn an_address_is_verified_where_the_provider_says_so() {
    let more = "[providers.acme.profile]\nemail_verified = \"mail_checked\"\n[conditions]\n\
                sign_in = 'email_verified && user.email.endsWith(\"@example.com\")'\n\
                [claims]\nrole = 'email_verified ? \"editor\" : \"guest\"'\n";
    let (_api, _folder, server) = site(more);
    // The second time the user is known.
    for _ in 0..2 {
        let mut browser = Browser::new(&server.host);
        browser.sign_in_with("acme");
        assert_eq!(browser.session()["user"]["role"], "editor");
    }
}

#[test]
fn a_claim_that_has_no_value_makes_no_session_and_a_view_without_one_shows_nobody() {
    let (_api, _folder, server) = site("[claims]\nteam = 'profile.team'\n");
    let mut browser = Browser::new(&server.host);
    browser.sign_in_with("acme");
    assert!(!browser.has_session());
    let log = server.log();
    assert!(log.contains("`claims.team`: there is no `team`"), "{log}");

    let (_api, _folder, server) = site("[view]\nteam = 'claims.team'\n");
    let mut browser = Browser::new(&server.host);
    browser.sign_in_with("acme");
    assert_eq!(browser.get("/api/auth/session").body, "null");
    assert!(server.log().contains("`view.team`: there is no `team`"));
}

#[test]
fn tokens_of_providers_do_not_get_out() {
    let (_api, _folder, server) = site("[view]\naccess_token = '\"x\"'\nuser.ok = 'true'\n");
    let mut browser = Browser::new(&server.host);
    browser.sign_in_with("acme");
    let session = browser.session();
    assert!(session.get("access_token").is_none() && session["user"]["ok"] == true, "{session}");
}

#[test]
fn mistakes_are_told_with_their_place_before_anybody_signs_in() {
    for (section, said) in [
        (
            "[claims]\nrole = 'usr.email'",
            "line 5, column 8: `claims.role`: `usr` is unknown: did you mean `user`?",
        ),
        ("[claims]\nrole = 'user.email =='", "line 5, column 8: `claims.role`: the expression is wrong"),
        ("[claims]\nsub = '1'", "the name is Hallpass' own"),
        ("[view]\nuser.role = 'claim.role'", "`view.user.role`: `claim` is unknown: did you mean `claims`?"),
        ("[view]\nexpires = '1'", "Hallpass says when a session ends"),
        ("[view]\nrole = 1", "`view.role` must be an expression"),
        ("[conditions]\nsign_in = 'user.email.endWith(\"x\")'", "did you mean `endsWith`?"),
        ("[conditions]\nsignin = 'true'", "did you mean `sign_in`?"),
    ] {
        let folder = Folder::new();
        folder.write("hallpass.toml", &format!("{SETTINGS}users_file = \"users.toml\"\n{section}\n"));
        folder.write("users.toml", "");
        let told = refusal(program(&folder, &[]));
        assert!(told.contains(said), "{section}: {told}");
    }
}
