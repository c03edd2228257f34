use super::*;
use http::HeaderMap;
use http::header::COOKIE;

const NAME: &str = "authjs.session-token";

fn cookies(lines: &[&str]) -> Cookies {
    let headers = lines.iter().map(|line| (COOKIE, HeaderValue::from_str(line).unwrap()));
    Cookies::parse(&headers.collect::<HeaderMap>())
}

fn session(options: CookieOptions, secure: bool) -> CookieSpec {
    let secrets = [Secret::from("a secret")];
    CookieSet::new(&[(CookieKind::SessionToken, options)], secure, &secrets, &Dialects::new(&[]))
        .get(CookieKind::SessionToken)
        .clone()
}

fn headers(changes: &[CookieChange]) -> Vec<String> {
    changes.iter().map(|change| change.header().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn attributes_stand_in_the_order_of_auth_js() {
    let spec = session(CookieOptions::new(), false);
    let at = Timestamp::from_seconds(784_111_777);
    assert_eq!(
        headers(&spec.set_in_pieces("a.b".to_owned(), at, &Pieces::default())),
        ["authjs.session-token=a.b; HttpOnly; SameSite=Lax; Path=/; Expires=Sun, 06 Nov 1994 08:49:37 GMT"]
    );
    let own =
        CookieOptions::new().domain("example.com").path("/deep").same_site(SameSite::Strict).http_only(false);
    assert_eq!(
        headers(&[session(own, true).clear()]),
        [
            "__Secure-authjs.session-token=; SameSite=Strict; Secure; Path=/deep; Domain=example.com; Max-Age=0"
        ]
    );
}

#[test]
fn a_value_is_encoded_as_javascript_does() {
    let spec = session(CookieOptions::new(), false);
    assert!(
        headers(&[spec.set("a|b;\r\n é-_.!~*'()")])[0]
            .starts_with(&format!("{NAME}=a%7Cb%3B%0D%0A%20%C3%A9-_.!~*'();"))
    );
}

#[test]
fn a_value_is_decoded_once_and_only_where_that_gives_a_text() {
    let cookies = cookies(&["a=%257C; b=%ff; c=%; d=x%20y"]);
    for (name, value) in [("a", "%7C"), ("b", "%ff"), ("c", "%"), ("d", "x y")] {
        assert_eq!(cookies.get(name).as_deref(), Some(value));
    }
}

#[test]
fn spaces_around_names_and_values_do_not_count() {
    let cookies = cookies(&["  a = 1 ;b=2;; =3;c;d==4= "]);
    let names = ["a", "b", "c", "d", ""];
    let values = names.map(|name| cookies.get(name).map(|value| value.into_owned()));
    assert_eq!(values.each_ref().map(Option::as_deref), [Some("1"), Some("2"), None, Some("=4="), None]);
}

#[test]
fn bytes_that_are_no_text_spoil_no_other_cookie() {
    let header = HeaderValue::from_bytes(b"a=1; b=\xff; c=3").unwrap();
    let cookies = Cookies::parse(&HeaderMap::from_iter([(COOKIE, header)]));
    assert_eq!((cookies.get("a").as_deref(), cookies.get("c").as_deref()), (Some("1"), Some("3")));
}

#[test]
fn two_cookies_of_one_name_are_none_unless_they_agree() {
    assert_eq!(cookies(&["a=1; a=2"]).get("a"), None);
    assert_eq!(cookies(&["a=1", "a=1; b"]).get("a").as_deref(), Some("1"));
}

#[test]
fn pieces_without_a_gap_make_one_value() {
    let value = |line: &str| cookies(&[line]).pieces(NAME).value.map(|value| value.into_owned());
    assert_eq!(value("authjs.session-token.1=b; x=y; authjs.session-token.0=a").as_deref(), Some("ab"));
    assert_eq!(value("authjs.session-token=a").as_deref(), Some("a"));
    assert_eq!(value("authjs.session-token.1=b; authjs.session-token.2=c"), None);
    assert_eq!(value("authjs.session-token=a; authjs.session-token.0=b"), None);
    assert_eq!(value("authjs.session-token.00=a; authjs.session-tokenx=b"), None);
}

#[test]
fn a_shorter_session_removes_the_pieces_that_are_left_over() {
    let received = cookies(&["authjs.session-token.0=a; authjs.session-token.1=b"]);
    let spec = session(CookieOptions::new(), false);
    let now = Timestamp::from_seconds(0);
    let written = headers(&spec.set_in_pieces("x".repeat(3936 + 1), now, &received.pieces(NAME)));
    assert_eq!(written.len(), 2);
    assert!(written[1].starts_with("authjs.session-token.1=x; "));
    let written = headers(&spec.set_in_pieces("x".to_owned(), now, &received.pieces(NAME)));
    assert!(written[0].starts_with("authjs.session-token=x; "));
    assert!(written[1..].iter().all(|cookie| cookie.ends_with("; Max-Age=0")) && written.len() == 3);
}

#[test]
fn printing_cookies_shows_no_value() {
    assert_eq!(format!("{:?}", cookies(&["a=secret"])), r#"{"a"}"#);
}
