//! The providers of a configuration.

use std::sync::Arc;

use hallpass::providers::{ALL, Check, ClientAuth, Profile, ProfileError, Provider, Raw};
use hallpass::{Credentials, Environment, Field, Secret};
use serde_json::{Map, Value, json};

use super::description::{Form, has_function, wrong};
use super::fault::Fault;
use super::pool::Pool;
use super::request::stub;
use super::script::Script;

impl Script {
    /// The providers, with their clients from the file or else from the environment.
    ///
    /// # Errors
    /// The first option that Hallpass does not have.
    pub(crate) fn providers(&self, environment: &Environment) -> Result<Vec<Provider>, Fault> {
        let read =
            |provider| read(provider, &self.pool, environment).map_err(|fault| fault.in_file(self.file()));
        self.description.providers.iter().map(read).collect()
    }

    /// Whether it has a form with this id.
    pub(crate) fn has_form(&self, id: &str) -> bool {
        self.description.forms.iter().any(|form| form.id == id)
    }

    /// Whether it says which ways there are to sign in.
    pub(crate) fn names_providers(&self) -> bool {
        self.has_forms() || !self.description.providers.is_empty()
    }

    /// Its forms.
    pub(crate) fn forms(&self) -> impl Iterator<Item = Credentials> {
        self.description.forms.iter().map(form)
    }

    pub(crate) fn has_forms(&self) -> bool {
        !self.description.forms.is_empty()
    }
}

/// A form of the application.
pub(super) fn form(form: &Form) -> Credentials {
    let mut made = Credentials::new().id(&form.id);
    if let Some(name) = &form.name {
        made = made.name(name);
    }
    for (name, options) in &form.fields {
        let text = |key: &str| options.get(key).and_then(Value::as_str).map(str::to_owned);
        let mut field = Field::new(name);
        field.kind = text("type");
        field.label = text("label");
        field.placeholder = text("placeholder");
        field.value = text("value");
        field.required = options.get("required").and_then(Value::as_bool).unwrap_or_default();
        made = made.field(field);
    }
    made
}

fn read(
    options: &Map<String, Value>,
    pool: &Arc<Pool>,
    environment: &Environment,
) -> Result<Provider, Fault> {
    let text = |name: &str| options.get(name).and_then(Value::as_str).map(str::to_owned);
    let id = text("id").unwrap_or_default();
    for (key, value) in options {
        if !value.is_null() && !KNOWN.contains(&key.as_str()) {
            return Err(wrong(format!("the option `{key}` of the provider {id:?} is not supported"))
                .cure("leave it out, or describe the provider under [providers] in hallpass.toml"));
        }
    }
    if let Some(function) =
        ["authorization", "token", "userinfo", "account"].into_iter().find(|it| has_function(options, it))
    {
        return Err(
            wrong(format!("`{function}` of the provider {id:?} is a function")).cure("write its address")
        );
    }
    let name = text("name").unwrap_or_else(|| id.clone());
    let [authorization, token, userinfo] =
        ["authorization", "token", "userinfo"].map(|key| address(options.get(key)));
    let spec = ALL.iter().find(|spec| spec.id == id);
    let mut provider = match (spec, text("type").as_deref()) {
        (Some(spec), _) => Provider::from(*spec),
        (None, Some("oidc")) => {
            let issuer = own(&id, "ISSUER", environment).or_else(|| text("issuer"));
            let Some(issuer) = issuer else {
                return Err(wrong(format!("the provider {id:?} has no `issuer`")));
            };
            Provider::oidc(&id, &name, issuer)
        }
        (None, Some("oauth")) => {
            let [Some(authorization), Some(token), Some(userinfo)] =
                [&authorization, &token, &userinfo].map(|it| it.clone())
            else {
                return Err(wrong(format!(
                    "the provider {id:?} needs `authorization`, `token` and `userinfo`: addresses"
                )));
            };
            Provider::oauth2(&id, &name, authorization, token, userinfo)
        }
        (None, _) => {
            return Err(wrong(format!("the provider {id:?} is not one that Hallpass knows"))
                .cure("give it `type: \"oidc\"` with `issuer`, or `type: \"oauth\"` with its addresses"));
        }
    };
    let takes_issuer = spec.is_some() || text("type").as_deref() == Some("oauth");
    if let Some(issuer) = text("issuer").filter(|_| takes_issuer) {
        provider = provider.issuer(issuer);
    }
    for (given, set) in [
        (authorization, Provider::authorization as fn(Provider, String) -> Provider),
        (token, Provider::token),
        (userinfo, Provider::userinfo),
        (text("jwks_endpoint"), Provider::jwks_uri),
    ] {
        if let Some(url) = given {
            provider = set(provider, url);
        }
    }
    if spec.is_some()
        && let Some(name) = text("name")
    {
        provider = provider.named(name);
    }
    for key in ["tenantId", "domain", "apiHost"] {
        if let Some(value) = text(key) {
            provider = provider.with(key, value);
        }
    }
    provider = client(&id, provider, options, environment)?;
    provider = parameters(provider, options);
    if let Some(checks) = options.get("checks").and_then(Value::as_array) {
        let checks: Option<Vec<_>> = checks.iter().map(|it| check(it.as_str()?)).collect();
        let Some(checks) = checks else {
            return Err(wrong(format!("`checks` of the provider {id:?} are unknown"))
                .cure("\"pkce\", \"state\", \"nonce\""));
        };
        provider = provider.checks(&checks);
    }
    if has_function(options, "profile") {
        let pool = Arc::clone(pool);
        provider = provider.profile(move |raw| profile(&pool, &id, raw));
    }
    if options.get("allowDangerousEmailAccountLinking").and_then(Value::as_bool) == Some(true) {
        provider = provider.dangerous().link_accounts_by_email();
    }
    Ok(provider)
}

/// The environment wins over the file.
fn client(
    id: &str,
    provider: Provider,
    options: &Map<String, Value>,
    environment: &Environment,
) -> Result<Provider, Fault> {
    let text = |name: &str| options.get(name).and_then(Value::as_str).map(str::to_owned);
    let client_id = own(id, "ID", environment).or_else(|| text("clientId"));
    let secret = own(id, "SECRET", environment).or_else(|| text("clientSecret"));
    let method =
        options.get("client").and_then(|it| it.get("token_endpoint_auth_method")).and_then(Value::as_str);
    let provider = match (client_id, secret, method) {
        (Some(client), _, Some("none")) => provider.public_client(client),
        (Some(client), secret, _) => provider.client(client, Secret::from(secret.unwrap_or_default())),
        (None, ..) => provider,
    };
    Ok(match method {
        None => provider,
        Some("client_secret_basic") => provider.client_auth(ClientAuth::Basic),
        Some("client_secret_post") => provider.client_auth(ClientAuth::Post),
        Some("client_secret_jwt") => provider.client_auth(ClientAuth::SecretJwt),
        Some("none") => provider.client_auth(ClientAuth::None),
        Some(other) => {
            return Err(wrong(format!(
                "`client.token_endpoint_auth_method` of the provider {id:?} is {other:?}"
            ))
            .cure("client_secret_basic, client_secret_post, client_secret_jwt or none"));
        }
    })
}

fn parameters(mut provider: Provider, options: &Map<String, Value>) -> Provider {
    let in_address = address_query(options.get("authorization"));
    let given = options.get("authorization").and_then(|it| it.get("params")).and_then(Value::as_object);
    let given = given.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), plain(value)?)));
    let scope =
        options.get("scope").and_then(Value::as_str).map(|scope| ("scope".to_owned(), scope.to_owned()));
    for (name, value) in in_address.into_iter().chain(given).chain(scope) {
        if name == "scope" {
            provider = provider.scopes(&value.split_whitespace().collect::<Vec<_>>());
        } else {
            provider = provider.authorization_param(name, value);
        }
    }
    provider
}

/// `profile` of the file, called for what the provider says of somebody.
fn profile(pool: &Pool, id: &str, raw: &Raw) -> Result<Profile, ProfileError> {
    let argument = json!({ "id": id, "profile": raw.fields() }).to_string();
    let answer = pool.call_now("profile", &argument, &stub()).map_err(|fault| {
        tracing::error!("{fault}");
        ProfileError::new("profile")
    })?;
    let made = Raw::from_value(serde_json::from_str(&answer).unwrap_or_default())?;
    let mut extra = made.fields().clone();
    extra.retain(|name, _| !matches!(name.as_str(), "id" | "name" | "email" | "image"));
    Ok(Profile {
        name: made.text("name"),
        email: made.text("email"),
        email_verified: raw.flag("email_verified"),
        image: made.text("image"),
        extra,
        ..Profile::new(made.id("id")?)
    })
}

/// `"https://…"` or `{ url: "https://…" }`, without its query.
fn address(value: Option<&Value>) -> Option<String> {
    let value = value?;
    let url = value.as_str().or_else(|| value.get("url")?.as_str())?;
    Some(url.split('?').next().unwrap_or(url).to_owned())
}

fn address_query(value: Option<&Value>) -> Vec<(String, String)> {
    let url =
        value.and_then(|value| value.as_str().or_else(|| value.get("url")?.as_str())).unwrap_or_default();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn check(name: &str) -> Option<Check> {
    Some(match name {
        "pkce" => Check::Pkce,
        "state" => Check::State,
        "nonce" => Check::Nonce,
        _ => return None,
    })
}

fn own(id: &str, what: &str, environment: &Environment) -> Option<String> {
    let name = format!("AUTH_{}_{what}", id.to_ascii_uppercase().replace('-', "_"));
    environment.get(&name).map(str::to_owned)
}

const KNOWN: &[&str] = &[
    "id",
    "name",
    "type",
    "known",
    "functions",
    "clientId",
    "clientSecret",
    "issuer",
    "authorization",
    "token",
    "userinfo",
    "scope",
    "profile",
    "checks",
    "jwks_endpoint",
    "style",
    "client",
    "allowDangerousEmailAccountLinking",
    "tenantId",
    "domain",
    "apiHost",
    "idToken",
    "version",
    "default",
];
