use super::*;
use hallpass::providers::GITHUB;
use hallpass::{Auth, Credentials, Email, Environment, Field, MemoryStore};

const RATE: Option<Rate> = Some(Rate { count: 3, window: Duration::from_secs(60) });

fn limits() -> Limits {
    Limits {
        passwords_per_account: RATE,
        passwords_per_address: Some(Rate { count: 10, window: Duration::from_secs(60) }),
        mails_per_recipient: RATE,
        mails_per_address: None,
        callbacks_per_address: RATE,
        posts_per_address: None,
    }
}

fn limiter(limits: &Limits, proxies_are_known: bool) -> Limiter {
    let form = Credentials::new().field(Field::text("username")).field(Field::password("password"));
    let auth = Auth::builder()
        .environment(Environment::empty())
        .secret("a secret of at least 32 characters")
        .store(MemoryStore::new())
        .credentials(form, async |_, ()| Ok(None))
        .email(Email::new(), async |_, ()| Ok(()))
        .provider(GITHUB.client("id", "secret"))
        .build()
        .unwrap();
    Limiter::new(Arc::clone(auth.core()), limits, proxies_are_known)
}

/// What a form is a try at.
fn attempt(limiter: &Limiter, path: &str, body: &str) -> Attempt {
    let request = http::Request::post(format!("/api/auth{path}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned().into());
    limiter.0.core.attempt(&request.unwrap())
}

/// How many of these requests pass, which come at once from these addresses.
fn passed(limiter: &Limiter, path: &str, requests: &[(&str, &str)]) -> usize {
    let now = Instant::now();
    let passes = |(address, body): &&(&str, &str)| {
        let peer = Some(address.parse().unwrap());
        limiter.0.take(&attempt(limiter, path, body), true, peer, now).is_ok()
    };
    requests.iter().filter(passes).count()
}

const PASSWORD: &str = "/callback/credentials";

#[test]
fn other_spellings_of_a_name_share_its_count() {
    for names in [
        ["ada", "ADA", "Ad\u{e1}", "\u{ff41}da", " ada "],
        [
            "ada@example.com",
            "Ada+spam@EXAMPLE.com",
            "a.d.a@example.com",
            "a-da@example.com",
            "ada@example.com.",
        ],
        ["strasse", "stra\u{df}e", "STRASSE", "STRA\u{1e9e}E", "stra\u{17f}se"],
        [
            "\u{3bd}\u{3af}\u{3ba}\u{3bf}\u{3c2}",
            "\u{3bd}\u{3b9}\u{3ba}\u{3bf}\u{3c3}",
            "\u{39d}\u{399}\u{39a}\u{39f}\u{3a3}",
            "\u{3bd}\u{3b9}\u{3ba}\u{3bf}\u{3c2}",
            "\u{39d}\u{399}\u{39a}\u{39f}\u{3c2}",
        ],
        ["iris", "\u{131}ris", "\u{130}RIS", "IRIS", "\u{ed}r\u{131}s"],
        ["\u{1f600}", "\u{1f600}", "\u{1f600}", "\u{1f600}", "\u{1f600}"],
    ] {
        let limiter = limiter(&limits(), true);
        let forms = names.map(|name| format!("username={}", name.replace('+', "%2B")));
        let requests: Vec<_> = forms.iter().map(|form| ("192.0.2.1", form.as_str())).collect();
        assert_eq!(passed(&limiter, PASSWORD, &requests), 3, "{names:?}");
        assert_eq!(passed(&limiter, PASSWORD, &[("192.0.2.1", "username=eve")]), 1);
    }
}

#[test]
fn guesses_at_one_account_share_its_count_wherever_they_come_from() {
    let limiter = limiter(&limits(), true);
    let addresses: Vec<_> = (0..50).map(|n| format!("198.51.100.{n}")).collect();
    let requests: Vec<_> = addresses.iter().map(|address| (address.as_str(), "username=ada")).collect();
    assert_eq!(passed(&limiter, PASSWORD, &requests), 3);
}

#[test]
fn one_guess_each_for_many_accounts_is_noticed() {
    let forms: Vec<_> = (0..100).map(|n| format!("username=user{n}")).collect();
    let from = |address: &'static str| forms.iter().map(|form| (address, form.as_str())).collect::<Vec<_>>();
    let limiter = limiter(&limits(), true);
    assert_eq!(passed(&limiter, PASSWORD, &from("192.0.2.1")), 10);
    assert_eq!(passed(&limiter, PASSWORD, &from("::ffff:192.0.2.1")), 0);
}

#[test]
fn all_addresses_of_an_ipv6_network_share_its_count() {
    let limiter = limiter(&limits(), true);
    let all: Vec<_> = (0..200).map(|n| (format!("2001:db8:0:1:{n}::1"), format!("username=u{n}"))).collect();
    let requests: Vec<_> = all.iter().map(|(address, form)| (address.as_str(), form.as_str())).collect();
    assert_eq!(passed(&limiter, PASSWORD, &requests), 10);
    assert_eq!(passed(&limiter, PASSWORD, &[("2001:db8:0:2::1", "username=eve")]), 1);
}

#[test]
fn an_address_inside_the_network_counts_only_where_the_proxies_are_known() {
    let posts = Limits { posts_per_address: RATE, ..limits() };
    for address in
        ["127.0.0.1", "10.1.2.3", "100.64.0.1", "169.254.0.1", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"]
    {
        let requests = [(address, ""); 5];
        assert_eq!(passed(&limiter(&posts, false), "/signout", &requests), 5, "{address}");
        assert_eq!(passed(&limiter(&posts, true), "/signout", &requests), 3, "{address}");
    }
    for address in ["192.0.2.1", "100.128.0.1", "2001:db8::1"] {
        assert_eq!(passed(&limiter(&posts, false), "/signout", &[(address, ""); 5]), 3, "{address}");
    }
}

#[test]
fn mails_to_one_box_share_its_count() {
    let limiter = limiter(&limits(), true);
    let forms = ["ada@example.com", "ADA@example.com", "a.da@example.com", "ada%2Bx@example.com"];
    let forms = forms.map(|address| format!("email={address}"));
    let requests: Vec<_> = forms.iter().map(|form| ("192.0.2.1", form.as_str())).collect();
    assert_eq!(passed(&limiter, "/signin/email", &requests), 3);
    assert_eq!(passed(&limiter, "/signin/email", &[("192.0.2.1", "email=eve@example.com")]), 1);
}

#[test]
fn only_a_try_that_was_none_is_given_back() {
    use ErrorKind::{AccessDenied, CallbackRoute, CredentialsSignin, MissingCsrf, Unavailable};
    for (error, passes) in [
        (None, 20),
        (Some(MissingCsrf), 20),
        (Some(Unavailable), 20),
        (Some(CredentialsSignin), 3),
        // The application's `authorize` may say no in any way.
        (Some(CallbackRoute), 3),
        (Some(AccessDenied), 3),
    ] {
        let limiter = limiter(&limits(), true);
        let guess = attempt(&limiter, PASSWORD, "username=ada");
        let now = Instant::now();
        let status = if error.is_none() { StatusCode::FOUND } else { StatusCode::OK };
        let count = (0..20).filter(|_| match limiter.0.take(&guess, true, None, now) {
            Ok(taken) => {
                settle(&taken, status, error);
                true
            }
            Err(_) => false,
        });
        assert_eq!(count.count(), passes, "{error:?}");
    }
}

#[test]
fn signing_in_to_one_account_forgives_no_guess_at_another() {
    let limiter = limiter(&limits(), true);
    let now = Instant::now();
    assert_eq!(passed(&limiter, PASSWORD, &[("192.0.2.1", "username=ada"); 3]), 3);
    let own = attempt(&limiter, PASSWORD, "username=eve");
    settle(&limiter.0.take(&own, true, None, now).unwrap(), StatusCode::FOUND, None);
    assert!(limiter.0.take(&attempt(&limiter, PASSWORD, "username=eve&email=ada"), true, None, now).is_err());
    assert_eq!(passed(&limiter, PASSWORD, &[("192.0.2.1", "username=ada")]), 0);
}

#[test]
fn one_form_locks_out_no_more_accounts_than_a_person_has_names() {
    let limiter = limiter(&limits(), true);
    let spellings = ["username", "Username", "uSername", "usErname", "useRname", "usernAme"];
    let form: String = spellings.iter().enumerate().map(|(n, field)| format!("{field}=victim{n}&")).collect();
    assert_eq!(passed(&limiter, PASSWORD, &[("192.0.2.1", form.as_str()); 5]), 0);
    for n in 0..spellings.len() {
        assert_eq!(passed(&limiter, PASSWORD, &[("192.0.2.2", format!("username=victim{n}").as_str())]), 1);
    }
}

#[test]
fn a_mail_that_may_have_left_counts() {
    for (error, passes) in [(ErrorKind::Unavailable, 3), (ErrorKind::MissingCsrf, 20)] {
        let limiter = limiter(&limits(), true);
        let mail = attempt(&limiter, "/signin/email", "email=ada@example.com");
        let now = Instant::now();
        let count = (0..20).filter(|_| match limiter.0.take(&mail, true, None, now) {
            Ok(taken) => {
                settle(&taken, StatusCode::OK, Some(error));
                true
            }
            Err(_) => false,
        });
        assert_eq!(count.count(), passes, "{error:?}");
    }
}

#[test]
fn whoever_comes_back_from_a_provider_counts_by_address_whatever_comes_of_it() {
    let limits = Limits { posts_per_address: Some(Rate { count: 2, ..RATE.unwrap() }), ..limits() };
    let limiter = limiter(&limits, true);
    let now = Instant::now();
    let comes_back = |is_post: bool, address: &str| {
        let method = if is_post { Method::POST } else { Method::GET };
        let request = http::Request::builder().method(method).uri("/api/auth/callback/github?code=c&state=s");
        let request = request.header("cookie", "authjs.state=s");
        let attempt = limiter.0.core.attempt(&request.body(Bytes::new()).unwrap());
        let taken = limiter.0.take(&attempt, is_post, Some(address.parse().unwrap()), now);
        taken.map(|taken| settle(&taken, StatusCode::FOUND, None)).is_ok()
    };
    // The third POST is one request too many, and no try.
    let passes = [true, true, true, false, false].map(|is_post| comes_back(is_post, "192.0.2.1"));
    assert_eq!(passes, [true, true, false, true, false]);
    assert!(comes_back(false, "192.0.2.2"));
}
