//! Where next-auth 4 and Auth.js (v5) differ: each difference is one method here, and nothing else asks for a dialect.
//!
//! What is written and what the application sees follows the first dialect of the setting; how an answer is worded
//! follows the dialect of the request, where that can be told.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Map, Value};

use crate::config::Config;
use crate::cookie::CookieKind;
use crate::error::{Error, ErrorKind};
use crate::jose::Dialect;
use crate::request::{Action, Inbound};
use crate::respond::AsJson;
use crate::user::{Account, AccountKind, User};

/// The dialects that are spoken. The first one is written, all of them are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dialects(Vec<Dialect>);

impl Dialects {
    /// In order, each once; v5 where there is none.
    pub(crate) fn new(listed: &[Dialect]) -> Self {
        let mut dialects = Vec::new();
        for dialect in listed {
            if !dialects.contains(dialect) {
                dialects.push(*dialect);
            }
        }
        if dialects.is_empty() {
            dialects.push(Dialect::V5);
        }
        Self(dialects)
    }

    /// The one that is written.
    pub(crate) fn written(&self) -> Dialect {
        self.0.first().copied().unwrap_or(Dialect::V5)
    }

    pub(crate) fn all(&self) -> &[Dialect] {
        &self.0
    }

    pub(crate) fn speak(&self, dialect: Dialect) -> bool {
        self.0.contains(&dialect)
    }

    /// Whose request it is. `webauthn-options`, `session`, `csrf`, `providers` and pages do not tell: what is written
    /// decides.
    pub(crate) fn of_request(&self, signs: &Signs) -> (Dialect, AsJson) {
        if signs.return_redirect && self.speak(Dialect::V5) {
            return (Dialect::V5, AsJson::BesideLocation);
        }
        if signs.json && self.speak(Dialect::V4) {
            return (Dialect::V4, AsJson::Alone);
        }
        (self.written(), AsJson::No)
    }

    /// The session of nobody. Clients of v5 take `{}` for somebody; those of v4 bear `null`.
    pub(crate) fn nobody(&self) -> &'static str {
        if self.speak(Dialect::V5) { "null" } else { "{}" }
    }

    /// Clients of v4 report to `_log`.
    pub(crate) fn know(&self, action: Action) -> bool {
        match action {
            Action::Log => self.speak(Dialect::V4),
            Action::WebAuthnOptions => self.speak(Dialect::V5),
            _ => true,
        }
    }

    /// v4 sends every failure to its error page, which passes on those that the sign-in page shows.
    pub(crate) fn error_is_for_sign_in_page(&self, code: &str) -> bool {
        self.speak(Dialect::V4) && SHOWN_BY_SIGN_IN_PAGE.contains(&code)
    }
}

/// What in a request tells its dialect.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signs {
    /// Header `X-Auth-Return-Redirect`: v5.
    pub(crate) return_redirect: bool,
    /// Field `json` with exactly the text `true`: v4.
    pub(crate) json: bool,
}

/// On the wire.
impl Dialect {
    /// In the cookies of a sign-in under way.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::V5 => "v5",
            Self::V4 => "v4",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::V5, Self::V4].into_iter().find(|dialect| dialect.word() == word)
    }

    pub(crate) fn cookie_name(self, kind: CookieKind) -> String {
        let vendor = match self {
            Self::V5 => "authjs",
            Self::V4 => "next-auth",
        };
        format!("{vendor}.{}", kind.word())
    }

    /// Longest value of one cookie, in bytes: 4096 less what the name and attributes need.
    pub(crate) fn piece(self) -> usize {
        match self {
            Self::V5 => 3936,
            Self::V4 => 3933,
        }
    }

    /// What binds a session's token to its cookie: nothing in v4.
    pub(crate) fn session_salt(self, cookie: &str) -> &str {
        match self {
            Self::V5 => cookie,
            Self::V4 => "",
        }
    }

    /// The scheme where a trusted proxy that names the host says nothing of it.
    pub(crate) fn is_https(self, forwarded_proto: Option<&str>) -> bool {
        match self {
            Self::V5 => forwarded_proto == Some("https"),
            Self::V4 => forwarded_proto != Some("http"),
        }
    }

    /// v4 has no word for OpenID Connect.
    pub(crate) fn word_for(self, kind: AccountKind) -> AccountKind {
        match (self, kind) {
            (Self::V4, AccountKind::Oidc) => AccountKind::OAuth,
            _ => kind,
        }
    }

    /// What somebody without a row is called who comes from a provider; `None` for an id of our own.
    pub(crate) fn id_at_provider(self, account: &Account) -> Option<&str> {
        match self {
            Self::V5 => None,
            Self::V4 => Some(&account.provider_account_id),
        }
    }

    /// The members of a token answer that an account has: v5 writes `token_type` in lower case, v4 leaves out
    /// `expires_in`.
    pub(crate) fn account_tokens(self, mut tokens: Map<String, Value>) -> Map<String, Value> {
        match self {
            Self::V5 => {
                if let Some(Value::String(kind)) = tokens.get_mut("token_type") {
                    kind.make_ascii_lowercase();
                }
            }
            Self::V4 => drop(tokens.shift_remove("expires_in")),
        }
        tokens
    }

    /// What the event of a sign-in tells instead of the provider's profile: v4, what was made of it.
    pub(crate) fn told_profile(self, profile: &User) -> Option<Map<String, Value>> {
        match (self, serde_json::to_value(profile)) {
            (Self::V4, Ok(Value::Object(profile))) => Some(profile),
            _ => None,
        }
    }

    /// What somebody is called who asks for a magic link and has no row yet; `None` for an id of our own.
    pub(crate) fn id_of_address(self, address: &str) -> Option<String> {
        match self {
            Self::V5 => None,
            Self::V4 => Some(address.to_owned()),
        }
    }

    /// Whether the account of somebody who follows a magic link names its user.
    pub(crate) fn names_user_of_followed_link(self) -> bool {
        self == Self::V5
    }

    /// Whether links are mailed to this address: v4 wants a dot in its domain.
    pub(crate) fn mails_to(self, address: &str) -> bool {
        self == Self::V5 || address.rsplit('@').next().is_some_and(|domain| domain.contains('.'))
    }

    /// Somebody asked for a magic link and named no address: in v4 that is their mistake, which is not logged.
    pub(crate) fn missing_address(self) -> Error {
        let kind = match self {
            Self::V5 => ErrorKind::Callback,
            Self::V4 => ErrorKind::CredentialsSignin,
        };
        Error::new(kind, "no e-mail address was sent")
    }

    /// A magic link that lacks its token or its address.
    pub(crate) fn incomplete_link(self, has_token: bool) -> Error {
        let kind = match (self, has_token) {
            (Self::V5, _) => ErrorKind::CallbackRoute,
            (Self::V4, true) => ErrorKind::Verification,
            (Self::V4, false) => ErrorKind::Configuration,
        };
        Error::new(kind, "the link names no token or no address")
    }

    /// Whether the ids that `authorize` returns as numbers stay numbers.
    pub(crate) fn keeps_numbers(self) -> bool {
        self == Self::V4
    }

    /// Whether links to a provider's sign-in (GET) show the sign-in page.
    pub(crate) fn links_show_sign_in_page(self) -> bool {
        self == Self::V4
    }

    /// Whether a sign-in that names no provider fails; else it shows the sign-in page.
    pub(crate) fn wants_a_provider(self) -> bool {
        self == Self::V4
    }

    /// Whether the "look into your mail" page of the application gets the query.
    pub(crate) fn passes_query_to_verify_request(self) -> bool {
        self == Self::V5
    }
}

/// Failures.
impl Dialect {
    /// Whether this is answered with a bare 400, as to somebody who speaks another protocol.
    pub(crate) fn is_bad_request(self, kind: ErrorKind, asked: &Asked) -> bool {
        let is_unknown = match kind {
            ErrorKind::UnknownAction => true,
            ErrorKind::InvalidProvider => asked.action != Action::SignIn,
            _ => false,
        };
        self == Self::V4 && is_unknown
    }

    /// Whether the body of a bare 400 is JSON.
    pub(crate) fn words_bad_request_as_json(self) -> bool {
        self == Self::V5
    }

    /// Whether the answer to a failed request sets the CSRF and callback cookies.
    pub(crate) fn keeps_cookies_of(self, error: &Error, asked: &Asked) -> bool {
        self == Self::V4
            && error.kind() != ErrorKind::Unavailable
            && !self.is_bad_request(error.kind(), asked)
            && asked.action != Action::Session
    }

    /// Whether somebody who is refused after the provider's answer was accepted loses the cookies of the sign-in.
    pub(crate) fn clears_checks_when_refused(self, error: &Error) -> bool {
        self == Self::V4 && error.kind() != ErrorKind::Unavailable
    }

    /// Where a failure sends the browser.
    pub(crate) fn failure(self, error: &Error, asked: &Asked) -> Failure {
        match self {
            Self::V5 => of_v5(error),
            Self::V4 => of_v4(error, asked),
        }
    }

    /// Whether an own error page is addressed as it is configured when the configuration is wrong.
    pub(crate) fn leaves_error_page_relative(self) -> bool {
        self == Self::V4
    }

    /// Whether a wrong configuration answers addresses that there are not, too.
    pub(crate) fn is_misconfigured_everywhere(self) -> bool {
        self == Self::V4
    }
}

/// What was asked for, kept for the case that it fails.
pub(crate) struct Asked {
    pub(crate) action: Action,
    pub(crate) is_post: bool,
    pub(crate) dialect: Dialect,
    pub(crate) as_json: AsJson,
    /// Id and kind of the provider that the address names.
    pub(crate) provider: Option<(String, AccountKind)>,
}

impl Asked {
    pub(crate) fn of(inbound: &Inbound, config: &Config) -> Self {
        let provider = inbound.provider.as_deref().and_then(|id| config.provider(id));
        Self {
            action: inbound.action,
            is_post: inbound.is_post(),
            dialect: inbound.dialect,
            as_json: inbound.as_json,
            provider: provider.map(|entry| (entry.id().to_owned(), entry.kind())),
        }
    }

    fn is_of(&self, kind: AccountKind) -> bool {
        self.provider.as_ref().is_some_and(|(_, it)| *it == kind)
    }
}

/// Where a failure sends the browser, and with what.
pub(crate) struct Failure {
    pub(crate) page: FailurePage,
    pub(crate) parameters: Vec<(&'static str, String)>,
    /// The status where the answer is JSON.
    pub(crate) status: StatusCode,
}

pub(crate) enum FailurePage {
    SignIn,
    Error,
    /// The built-in page of this action, which passes on to an own one.
    BuiltIn(&'static str),
}

fn of_v5(error: &Error) -> Failure {
    let kind = error.kind();
    let mut parameters = vec![("error", kind.public_code().to_owned())];
    if kind == ErrorKind::CredentialsSignin {
        parameters.push(("code", error.code().to_owned()));
    }
    let page = if kind.is_for_sign_in_page() { FailurePage::SignIn } else { FailurePage::Error };
    Failure { page, parameters, status: StatusCode::OK }
}

fn of_v4(error: &Error, asked: &Asked) -> Failure {
    let to =
        |page, parameters| Failure { page: FailurePage::BuiltIn(page), parameters, status: StatusCode::OK };
    let kind = error.kind();
    if matches!(kind, ErrorKind::MissingCsrf | ErrorKind::InvalidProvider) {
        let page = if asked.action == Action::SignOut { "signout" } else { "signin" };
        return to(page, vec![("csrf", "true".to_owned())]);
    }
    let mut failure = to("error", vec![("error", code_in_v4(error, asked).to_owned())]);
    match (kind, &asked.provider) {
        (ErrorKind::CredentialsSignin, Some((id, AccountKind::Credentials))) => {
            failure.parameters.push(("provider", id.clone()));
            failure.status = StatusCode::UNAUTHORIZED;
        }
        (ErrorKind::AccessDenied, _) if asked.is_of(AccountKind::Credentials) => {
            failure.status = StatusCode::FORBIDDEN;
        }
        _ => {}
    }
    failure
}

/// The code in the browser's address bar.
fn code_in_v4(error: &Error, asked: &Asked) -> &'static str {
    let kind = error.kind();
    match kind {
        ErrorKind::CredentialsSignin | ErrorKind::Callback if asked.action == Action::SignIn => "EmailSignin",
        ErrorKind::AccessDenied
        | ErrorKind::CredentialsSignin
        | ErrorKind::OAuthAccountNotLinked
        | ErrorKind::TooManyRequests
        | ErrorKind::Verification => kind.name(),
        ErrorKind::AccountNotLinked => ErrorKind::OAuthAccountNotLinked.name(),
        ErrorKind::OAuthCallback => "Callback",
        ErrorKind::Configuration if asked.action == Action::Callback && asked.is_of(AccountKind::Email) => {
            "configuration"
        }
        ErrorKind::InvalidCheck | ErrorKind::OAuthProfileParse => "OAuthCallback",
        _ => match asked.action {
            Action::Callback if error.is_of_provider() => "OAuthCallback",
            Action::Callback => "Callback",
            Action::SignIn if error.is_of_provider() => "OAuthSignin",
            _ => "Configuration",
        },
    }
}

/// What v4 tells its logger; `None` for what it does not log.
pub(crate) fn name_in_v4(error: &Error) -> Option<Cow<'static, str>> {
    let name = match error.kind() {
        ErrorKind::Event => return Some(format!("{}_EVENT_ERROR", snake_case(error.code())).into()),
        ErrorKind::Store => "ADAPTER_ERROR",
        ErrorKind::OAuthCallback | ErrorKind::InvalidCheck => "OAUTH_CALLBACK_ERROR",
        ErrorKind::CallbackRoute if error.is_of_provider() => "OAUTH_CALLBACK_ERROR",
        ErrorKind::CallbackRoute => "OAUTH_CALLBACK_HANDLER_ERROR",
        ErrorKind::OAuthProfileParse => "OAUTH_PARSE_PROFILE_ERROR",
        ErrorKind::Configuration if error.is_of_provider() => "SIGNIN_OAUTH_ERROR",
        ErrorKind::InvalidEndpoints => "SIGNIN_OAUTH_ERROR",
        ErrorKind::Callback => "SIGNIN_EMAIL_ERROR",
        ErrorKind::InvalidCallbackUrl => "INVALID_CALLBACK_URL_ERROR",
        ErrorKind::JwtSession => "JWT_SESSION_ERROR",
        ErrorKind::SessionToken => "SESSION_ERROR",
        ErrorKind::SignOut => "SIGNOUT_ERROR",
        ErrorKind::MissingStore => "EMAIL_REQUIRES_ADAPTER_ERROR",
        ErrorKind::MissingSecret => "NO_SECRET",
        _ => return None,
    };
    Some(name.into())
}

/// `signIn` becomes `SIGN_IN`.
fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_uppercase());
    }
    text
}

/// The codes that the error page of v4 passes on.
const SHOWN_BY_SIGN_IN_PAGE: [&str; 10] = [
    "Signin",
    "OAuthSignin",
    "OAuthCallback",
    "OAuthCreateAccount",
    "EmailCreateAccount",
    "Callback",
    "OAuthAccountNotLinked",
    "EmailSignin",
    "CredentialsSignin",
    "SessionRequired",
];
