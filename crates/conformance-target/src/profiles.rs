//! Every profile of the harness is one configuration of Hallpass.

use std::sync::Arc;
use std::time::Duration;

use hallpass::pages::ColorScheme;
use hallpass::providers::{Check, ClientAuth, Profile, ProfileError, ProfileSource, Provider, Raw};
use hallpass::{
    Auth, Builder, Compat, CookieKind, CookieOptions, Credentials, Dialect, Email, Environment, Field,
    Forwarded, PagePaths, SameSite, Strategy, Theme,
};

use crate::callbacks::{self, Claims};
use crate::constants::{Constants, fake, op};
use crate::control;
use crate::probe::Probe;
use crate::shell::Shell;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Mounts all profiles, with their control interfaces. `authority` is where the target listens.
pub(crate) fn mount(shell: &mut Shell, authority: &str) -> Result<()> {
    let constants = Arc::new(Constants::read()?);
    for profile in PROFILES {
        let dialect = if profile.starts_with("v4") { Dialect::V4 } else { Dialect::V5 };
        let mut probe = Probe::new(Arc::clone(&constants), dialect);
        probe.takes_company = profile == "v4-request";
        let base = constants.base(profile)?;
        match profile {
            "database" | "v4-database" => shell.mount(database(&probe)?.base_path(base)),
            _ => shell.mount(builder(profile, &probe, authority)?.base_path(base)),
        }
        shell.add(control::routes(profile, probe));
    }
    Ok(())
}

/// All of the harness but passkeys, and `bad-authorize` and `bad-adapter`: what is missing there does not compile.
const PROFILES: [&str; 29] = [
    "jwt",
    "core",
    "database",
    "hybrid",
    "pages",
    "custom",
    "nocsrf",
    "proxy",
    "env",
    "bad-secret",
    "bad-host",
    "bad-endpoints",
    "bad-email",
    "bad-strategy",
    "bad-database",
    "bad-pages",
    "v4",
    "v4-database",
    "v4-hybrid",
    "v4-pages",
    "v4-custom",
    "v4-request",
    "v4-trust",
    "v4-bad-secret",
    "v4-bad-pages",
    "v4-bad-strategy",
    "v4-bad-email",
    "v4-bad-database",
    "v4-bad-endpoints",
];

fn builder(profile: &str, probe: &Probe, authority: &str) -> Result<Builder<Probe, Claims>> {
    let constants = &probe.constants;
    let Providers { local, local_userinfo, small, post, trusting, plain } = Providers::new(constants)?;
    let common =
        || common(probe).secret(constants.secret.as_str()).trust_host(true).forwarded(Forwarded::Proto);
    let stored = || {
        with_credentials(common())
            .provider(local.clone())
            .provider(local_userinfo.clone())
            .provider(small.clone())
            .provider(plain.clone())
            .provider(trusting.clone())
            .email(Email::new(), callbacks::send)
            .store(probe.store.clone())
            .session_strategy(Strategy::Jwt)
    };
    Ok(match profile {
        "jwt" | "core" | "v4" | "v4-request" => with_credentials(common())
            .update_from_query(Some("companyId").filter(|_| probe.takes_company))
            .provider(local)
            .provider(local_userinfo)
            .provider(small)
            .provider(plain)
            .provider(post),
        "v4-trust" => with_credentials(common()).provider(local).forwarded(Forwarded::ProtoAndHost),
        "hybrid" | "v4-hybrid" => stored(),
        "pages" | "v4-pages" => stored().pages(
            PagePaths::new()
                .sign_in("/ui/login?theme=dark")
                .sign_out("/ui/logout")
                .error("/ui/error")
                .verify_request("/ui/check-mail")
                .new_user("/ui/welcome"),
        ),
        "custom" => with_credentials(common())
            .provider(local)
            .provider(small)
            .provider(plain)
            .secrets([constants.secret.as_str(), constants.old_secret.as_str()])
            .session_max_age(Duration::from_secs(600))
            .cookie(
                CookieKind::SessionToken,
                CookieOptions::new().name("sid").same_site(SameSite::Strict).path("/deep"),
            )
            .cookie(CookieKind::CsrfToken, CookieOptions::new().name("xsrf").http_only(false))
            .theme(dark())
            .redirect(callbacks::redirect),
        "nocsrf" => with_credentials(common()).provider(local).dangerous().skip_csrf_check(),
        "proxy" => common()
            .provider(local)
            .provider(small)
            .redirect_proxy_url(format!("https://{authority}{}", constants.base("proxy")?)),
        "env" => {
            let client = constants.client("env-op")?;
            let provider = Provider::oidc("env-op", "From the environment", "").checks(&[Check::Pkce]);
            with_credentials(self::common(probe)).provider(provider).forwarded(Forwarded::Proto).environment(
                Environment::from([
                    ("AUTH_SECRET", constants.env_secret.as_str()),
                    ("AUTH_SECRET_1", constants.env_secret1.as_str()),
                    ("AUTH_TRUST_HOST", "true"),
                    ("AUTH_ENV_OP_ID", client.client_id.as_str()),
                    ("AUTH_ENV_OP_SECRET", client.client_secret.as_str()),
                    ("AUTH_ENV_OP_ISSUER", op().as_str()),
                ]),
            )
        }
        "v4-custom" => with_credentials(common())
            .provider(local)
            .provider(small)
            .provider(plain)
            .session_max_age(Duration::from_secs(600))
            .cookie(
                CookieKind::SessionToken,
                CookieOptions::new().name("sid4").same_site(SameSite::Strict).path("/v4custom"),
            )
            .cookie(CookieKind::CsrfToken, CookieOptions::new().name("xsrf4").http_only(false))
            .theme(dark())
            .redirect(callbacks::redirect),
        "bad-secret" | "v4-bad-secret" => with_credentials(self::common(probe)).trust_host(true),
        "bad-host" => with_credentials(common()).trust_host(false),
        "bad-endpoints" | "v4-bad-endpoints" => common().provider(
            Provider::oauth2("broken", "Broken", format!("{}/authorize", fake()), "", "").client("x", "y"),
        ),
        "bad-email" | "v4-bad-email" => common().email(Email::new(), callbacks::send),
        "bad-strategy" | "v4-bad-strategy" => {
            with_credentials(common()).store(probe.store.clone()).session_strategy(Strategy::Database)
        }
        "bad-database" => with_credentials(common()).session_strategy(Strategy::Database),
        "v4-bad-database" => common().provider(local).session_strategy(Strategy::Database),
        "bad-pages" | "v4-bad-pages" => {
            with_credentials(self::common(probe)).trust_host(true).pages(PagePaths::new().error("/ui/error"))
        }
        other => return Err(format!("no profile {other:?}").into()),
    })
}

fn dark() -> Theme {
    Theme::new()
        .color_scheme(ColorScheme::Dark)
        .logo("https://example.com/logo.png")
        .brand_color("#aa00ff")
        .button_text("#00ff00")
}

/// The providers of the harness.
struct Providers {
    local: Provider,
    local_userinfo: Provider,
    small: Provider,
    post: Provider,
    trusting: Provider,
    plain: Provider,
}

impl Providers {
    fn new(constants: &Constants) -> Result<Self> {
        let client = |provider: Provider, id: &str| -> Result<Provider> {
            let client = constants.client(id)?;
            Ok(provider.client(&client.client_id, client.client_secret.as_str()))
        };
        let all = &[Check::Pkce, Check::State, Check::Nonce];
        let oidc = |id: &str, name: &str, issuer: String| client(Provider::oidc(id, name, issuer), id);
        let local = oidc("op", "Local OP", op())?.checks(all);
        let local_userinfo = oidc("op-userinfo", "Local OP (userinfo)", op())?
            .checks(&[Check::Pkce])
            .profile_source(ProfileSource::UserInfo);
        let small = oidc("fake", "Fake OP", fake())?.checks(all);
        let post = oidc("post", "Form post", fake())?
            .checks(all)
            .authorization_param("response_mode", "form_post")
            .authorization_param("claims", r#"{"userinfo":{"email":null}}"#);
        let trusting =
            oidc("trusting", "Trusting", fake())?.checks(&[Check::Pkce]).dangerous().link_accounts_by_email();
        let plain = client(plain_oauth(), "oauth")?;
        Ok(Self { local, local_userinfo, small, post, trusting, plain })
    }
}

/// Auth.js never calls `jwt` with sessions in a database, so there is none.
fn database(probe: &Probe) -> Result<Builder<Probe>> {
    let Providers { local, local_userinfo, small, trusting, plain, .. } = Providers::new(&probe.constants)?;
    let (errors, clients, dialect) = (probe.clone(), probe.clone(), probe.dialect);
    Ok(Auth::builder_with(probe.clone())
        .environment(Environment::empty())
        .dialects([dialect])
        .on_client_log(move |log, _| clients.reported(log))
        .secret(probe.constants.secret.as_str())
        .trust_host(true)
        .forwarded(Forwarded::Proto)
        .compat(Compat::new().cache_headers(true).magic_link(true))
        .sign_in(callbacks::sign_in)
        .session(callbacks::stored_session)
        .on_event(callbacks::event)
        .on_error(move |error, _| errors.failed(error, dialect))
        .provider(local)
        .provider(local_userinfo)
        .provider(small)
        .provider(plain)
        .provider(trusting)
        .email(Email::new(), callbacks::send)
        .store(probe.store.clone()))
}

/// Callbacks and settings of every profile.
fn common(probe: &Probe) -> Builder<Probe, Claims> {
    let (errors, clients, dialect) = (probe.clone(), probe.clone(), probe.dialect);
    Auth::builder_with(probe.clone())
        .environment(Environment::empty())
        .dialects([dialect])
        .on_client_log(move |log, _| clients.reported(log))
        .compat(Compat::new().cache_headers(true).magic_link(true))
        .cookie_budget(64 * 1024)
        .sign_in(callbacks::sign_in)
        .jwt(callbacks::jwt)
        .session(callbacks::session)
        .on_event(callbacks::event)
        .on_error(move |error, _| errors.failed(error, dialect))
}

fn with_credentials(builder: Builder<Probe, Claims>) -> Builder<Probe, Claims> {
    let form = Credentials::new()
        .field(Field::text("username").label("Username"))
        .field(Field::password("password").label("Password"));
    builder.credentials(form, callbacks::authorize)
}

fn plain_oauth() -> Provider {
    let fake = fake();
    Provider::oauth2(
        "oauth",
        "Plain OAuth",
        format!("{fake}/authorize?preset=1"),
        format!("{fake}/token"),
        format!("{fake}/userinfo"),
    )
    .scopes(&["read:user"])
    .authorization_param("prompt", "consent")
    .checks(&[Check::State])
    .client_auth(ClientAuth::Post)
    .profile(plain_profile)
}

fn plain_profile(raw: &Raw) -> std::result::Result<Profile, ProfileError> {
    let sub = raw.id("sub")?;
    if sub == "profilethrow" {
        return Err(ProfileError::new("sub"));
    }
    let mut profile = Profile::new(format!("oauth-{sub}"));
    profile.name = raw.text("name");
    profile.email = raw.text("email");
    profile.image = raw.text("picture");
    profile.extra.extend(raw.get("login").map(|login| ("login".to_owned(), login.clone())));
    Ok(profile)
}
