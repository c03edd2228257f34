//! The providers: sections of the file, and what the environment adds.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;

use hallpass::providers::{
    ALL, ClientAuth, Endpoints, PrivateKey, Profile, ProfileError, ProfileSource, Provider, Raw, Spec,
};
use hallpass::{Environment, Secret};

use super::document::{Section, nearest};
use super::problem::Problem;
use super::sections::read_secret_file;

/// The sections of the file, by the provider's id.
pub(super) type Places = HashMap<String, Range<usize>>;

/// What was found.
pub(super) struct Providers {
    pub(super) found: Vec<Provider>,
    pub(super) places: Places,
    /// One was meant that could not be read.
    pub(super) any_left_out: bool,
}

/// Sections of the file in their order, then those of the catalogue that only the environment names.
pub(super) fn read(
    top: &mut Section<'_>,
    environment: &Environment,
    problems: &mut Vec<Problem>,
) -> Providers {
    let mut providers = Providers { found: Vec::new(), places: Places::new(), any_left_out: false };
    if let Some(mut all) = top.section("providers") {
        for id in all.keys() {
            let before = all.document().problem_count();
            let provider = all.section(id).and_then(|section| {
                providers.places.insert(id.to_owned(), section.span());
                read_section(id, section, environment)
            });
            // What is half understood would only bring up the same mistakes in other words.
            match provider.filter(|_| all.document().problem_count() == before) {
                Some(provider) => providers.found.push(provider),
                None => providers.any_left_out = true,
            }
        }
    }
    for spec in ALL.iter().filter(|spec| !providers.places.contains_key(spec.id)) {
        let [id, secret] = ["ID", "SECRET"].map(|what| variable(spec.id, what));
        if environment.get(&id).is_some() {
            providers.found.push(Provider::from(*spec));
        } else if environment.get(&secret).is_some() {
            problems.push(Problem::new(format!("{secret} is set and {id} is not: set both")));
            providers.any_left_out = true;
        }
    }
    providers
}

fn read_section(id: &str, mut section: Section<'_>, environment: &Environment) -> Option<Provider> {
    let kind = section.choice("type", &[("oidc", Kind::Oidc), ("oauth2", Kind::OAuth2)]);
    let spec = ALL.iter().copied().find(|spec| spec.id == id);
    let provider = match (kind, spec) {
        (None, Some(spec)) => from_catalogue(spec, &mut section),
        (None, None) => {
            let hint = match nearest(id, ALL.iter().map(|spec| spec.id)) {
                Some(known) => format!("did you mean [providers.{known}]? One of your own"),
                None => "one of your own".to_owned(),
            };
            section.note(format!(
                "no provider {id:?} is known: {hint} needs `type = \"oidc\"` or `type = \"oauth2\"`"
            ));
            return None;
        }
        (Some(_), Some(_)) => {
            section.note(format!(
                "{id:?} is a provider that Hallpass knows: leave `type` out, or give your own another id"
            ));
            return None;
        }
        (Some(Kind::Oidc), None) => {
            let issuer = own(id, "ISSUER", environment).or_else(|| Some(section.text("issuer")?.value));
            if issuer.is_none() {
                section.note(format!("[providers.{id}] needs `issuer`, or {}", variable(id, "ISSUER")));
            }
            let mut provider = Provider::oidc(id, id, issuer.unwrap_or_default());
            if let Some(uri) = section.text("jwks_uri") {
                provider = provider.jwks_uri(uri.value);
            }
            provider
        }
        (Some(Kind::OAuth2), None) => {
            let [authorize, token, userinfo] =
                ["authorization_endpoint", "token_endpoint", "userinfo_endpoint"].map(|key| {
                    let url = section.text(key).map(|url| url.value);
                    if url.is_none() {
                        section.note(format!("[providers.{id}] needs `{key}`"));
                    }
                    url.unwrap_or_default()
                });
            let provider = Provider::oauth2(id, id, authorize, token, userinfo);
            match section.text("issuer") {
                Some(issuer) => provider.issuer(issuer.value),
                None => provider,
            }
        }
    };
    let provider = read_client(id, provider, &mut section, environment);
    let provider = read_common(provider, &mut section);
    section.end();
    Some(provider)
}

fn from_catalogue(spec: &Spec, section: &mut Section<'_>) -> Provider {
    let mut provider = Provider::from(spec);
    for name in placeholders(spec) {
        if let Some(value) = section.text(name) {
            provider = provider.with(name, value.value);
        }
    }
    match section.text("issuer") {
        Some(issuer) => provider.issuer(issuer.value),
        None => provider,
    }
}

/// Id and secret; the environment wins over the file.
fn read_client(
    id: &str,
    provider: Provider,
    section: &mut Section<'_>,
    environment: &Environment,
) -> Provider {
    let client_id = section.text("id").map(|id| id.value);
    let client_id = own(id, "ID", environment).or(client_id).unwrap_or_default();
    let text = section.text("secret").map(|secret| Secret::from(secret.value));
    let file = section.text("secret_file");
    if text.is_some() && file.is_some() {
        section.note(format!("[providers.{id}] has `secret` and `secret_file`: keep one of them"));
    }
    let in_file = file.and_then(|file| read_secret_file(section.document(), &file));
    let secret = own(id, "SECRET", environment).map(Secret::from).or(text).or(in_file);
    let client_auth = section.choice("client_auth", CLIENT_AUTH);
    let key = section.section("private_key").and_then(read_private_key);
    let provider = match (client_auth, secret) {
        (Some(ClientAuth::None), _) | (_, None) if key.is_some() || client_auth == Some(ClientAuth::None) => {
            provider.public_client(client_id)
        }
        // An empty secret is one that is missing, and the library says so where one is needed.
        (_, secret) => provider.client(client_id, secret.unwrap_or_else(|| Secret::from(""))),
    };
    let provider = match key {
        Some(key) => provider.private_key(key),
        None => provider,
    };
    match client_auth {
        Some(client_auth) => provider.client_auth(client_auth),
        None => provider,
    }
}

fn read_private_key(mut section: Section<'_>) -> Option<PrivateKey> {
    let file = section.text("file");
    let algorithm = section.text("algorithm").map_or_else(|| "ES256".to_owned(), |algorithm| algorithm.value);
    let key_id = section.text("key_id");
    let issuer = section.text("issuer");
    let file = file.or_else(|| {
        section.note(format!("`{}` is missing: the private key in PEM", section.path_of("file")));
        None
    });
    let document = section.document();
    section.end();
    let file = file?;
    let path = document.resolve(&file.value);
    let pem = match fs::read_to_string(&path) {
        Ok(pem) => Secret::from(pem),
        Err(error) => {
            document.note(file.span, format!("{} cannot be read: {error}", path.display()));
            return None;
        }
    };
    let mut key = PrivateKey::new(algorithm, pem);
    if let Some(key_id) = key_id {
        key = key.key_id(key_id.value);
    }
    if let Some(issuer) = issuer {
        key = key.issuer(issuer.value);
    }
    Some(key)
}

fn read_common(mut provider: Provider, section: &mut Section<'_>) -> Provider {
    if let Some(name) = section.text("name") {
        provider = provider.named(name.value);
    }
    if let Some(brand) = section.text("brand") {
        provider = provider.brand(brand.value);
    }
    if let Some(scopes) = section.texts("scopes") {
        provider = provider.scopes(&texts(&scopes));
    }
    if let Some(algorithms) = section.texts("id_token_algorithms") {
        provider = provider.id_token_algorithms(&texts(&algorithms));
    }
    if let Some(source) = section.choice("profile_source", PROFILE_SOURCES) {
        provider = provider.profile_source(source);
    }
    if let Some(url) = section.text("redirect_proxy_url") {
        provider = provider.redirect_proxy_url(url.value);
    }
    if let Some(mut params) = section.section("params") {
        for name in params.keys() {
            if let Some(value) = params.text(name) {
                provider = provider.authorization_param(name, value.value);
            }
        }
    }
    if let Some(profile) = section.section("profile") {
        let fields = ProfileFields::read(profile);
        provider = provider.profile(move |raw| fields.apply(raw));
    }
    if section.flag("allow_private_network") == Some(true) {
        provider = provider.dangerous().allow_private_network();
    }
    provider
}

/// Which fields of the provider's profile are which; what is not named is looked for under its usual names.
#[derive(Debug)]
struct ProfileFields {
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    email_verified: Option<String>,
    image: Option<String>,
}

impl ProfileFields {
    fn read(mut section: Section<'_>) -> Self {
        let mut text = |key| section.text(key).map(|field| field.value);
        let fields = Self {
            id: text("id"),
            name: text("name"),
            email: text("email"),
            email_verified: text("email_verified"),
            image: text("image"),
        };
        section.end();
        fields
    }

    fn apply(&self, raw: &Raw) -> Result<Profile, ProfileError> {
        let mut profile = match &self.id {
            Some(field) => Profile { id: raw.id(field)?, ..self.usual(raw) },
            None => Profile::from_claims(raw)?,
        };
        let read = |field: &Option<String>, usual| field.as_ref().map_or(usual, |field| raw.text(field));
        profile.name = read(&self.name, profile.name);
        profile.email = read(&self.email, profile.email);
        profile.image = read(&self.image, profile.image);
        if let Some(field) = &self.email_verified {
            profile.email_verified = raw.flag(field);
        }
        Ok(profile)
    }

    fn usual(&self, raw: &Raw) -> Profile {
        Profile::from_claims(raw).unwrap_or_default()
    }
}

/// The names between braces in the addresses of the catalogue: `{domain}`, `{tenant=common}`.
fn placeholders(spec: &Spec) -> Vec<&'static str> {
    let addresses = match spec.endpoints {
        Endpoints::OAuth2 { authorize, token, userinfo } => vec![authorize, token, userinfo],
        Endpoints::Discovery { issuer } => vec![issuer],
        _ => Vec::new(),
    };
    let mut names: Vec<_> = addresses
        .into_iter()
        .flat_map(|address| address.split('{').skip(1))
        .filter_map(|rest| rest.split('}').next()?.split('=').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The keys without which a provider of the catalogue has no address.
pub(crate) fn open_places(spec: &Spec) -> Vec<&'static str> {
    let addresses = match spec.endpoints {
        Endpoints::Discovery { issuer: "" } => return vec!["issuer"],
        Endpoints::OAuth2 { authorize, token, userinfo } => vec![authorize, token, userinfo],
        Endpoints::Discovery { issuer } => vec![issuer],
        _ => Vec::new(),
    };
    let is_open = |name: &&str| addresses.iter().any(|address| address.contains(&format!("{{{name}}}")));
    placeholders(spec).into_iter().filter(is_open).collect()
}

/// A variable of this provider, if it is set.
fn own(id: &str, what: &str, environment: &Environment) -> Option<String> {
    environment.get(&variable(id, what)).map(str::to_owned)
}

/// `AUTH_MICROSOFT_ENTRA_ID_SECRET`
pub(super) fn variable(id: &str, what: &str) -> String {
    format!("AUTH_{}_{what}", id.to_ascii_uppercase().replace('-', "_"))
}

fn texts(owned: &[String]) -> Vec<&str> {
    owned.iter().map(String::as_str).collect()
}

#[derive(Clone, Copy)]
enum Kind {
    Oidc,
    OAuth2,
}

/// The registered names (OpenID Connect Core §9).
const CLIENT_AUTH: &[(&str, ClientAuth)] = &[
    ("client_secret_basic", ClientAuth::Basic),
    ("client_secret_post", ClientAuth::Post),
    ("client_secret_jwt", ClientAuth::SecretJwt),
    ("private_key_jwt", ClientAuth::PrivateKeyJwt),
    ("none", ClientAuth::None),
];

const PROFILE_SOURCES: &[(&str, ProfileSource)] =
    &[("id_token", ProfileSource::IdToken), ("userinfo", ProfileSource::UserInfo)];
