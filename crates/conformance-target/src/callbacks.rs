//! The callbacks that the harness describes.

use std::sync::Arc;

use hallpass::{
    AccountKind, BoxError, CredentialsInput, Decision, Dialect, Error, ErrorKind, Event, Jwt, JwtDecision,
    Mail, NoClaims, Redirect, SessionEvent, SignIn, User,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::probe::Probe;

/// What the harness' `jwt` callback keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Claims {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_id: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filler: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<Value>,
}

pub(crate) async fn authorize(input: CredentialsInput, probe: Probe) -> Result<Option<User>, BoxError> {
    let request = input.request();
    let query: Map<_, _> =
        request.query_pairs().iter().map(|(k, v)| (k.clone(), Value::from(v.as_str()))).collect();
    let seen = json!({
        "credentials": input.fields(),
        "method": request.method().as_str(),
        "query": query,
        "mark": request.header("x-conformance"),
    });
    let more = match probe.dialect {
        Dialect::V4 => json!({ "body": input.fields() }),
        _ => json!({ "path": request.path() }),
    };
    let seen = with(&seen, &more);
    probe.called("provider", "authorize", &seen);
    let name = input.text("username").unwrap_or_default();
    match name {
        "throw" => return Err("authorize went wrong".into()),
        "locked" => return Err(Error::credentials("locked").into()),
        "plain-refusal" => return Err(Error::credentials("credentials").into()),
        _ => {}
    }
    let person = probe.constants.credentials.get(name);
    let Some(person) = person.filter(|person| Some(person.password.as_str()) == input.text("password"))
    else {
        return Ok(None);
    };
    let mut user = User::from_json(person.user.clone())?;
    if let Some(length) = user.get("filler").and_then(Value::as_u64) {
        user = user.with("filler", filler(length));
    }
    Ok(Some(user))
}

pub(crate) async fn send(mail: Mail, probe: Probe) -> Result<(), BoxError> {
    let mut seen = json!({
        "identifier": mail.identifier,
        "url": mail.url,
        "token": mail.token,
        "expires": mail.expires,
    });
    let about = json!({ "provider": mail.provider, "theme": mail.theme });
    let request = json!({ "method": mail.request.method().as_str(), "path": mail.request.path() });
    let about = if probe.dialect == Dialect::V4 { about } else { with(&about, &request) };
    probe.called("provider", "sendVerificationRequest", &with(&seen, &about));
    if mail.identifier.starts_with("mailfail@") {
        return Err("the mail server is down".into());
    }
    probe.mailed(seen.take());
    Ok(())
}

pub(crate) async fn sign_in(event: SignIn, probe: Probe) -> Result<Decision, BoxError> {
    probe.called("callback", "signIn", &event);
    let name = match event.account.kind {
        AccountKind::Credentials => event.user.id.strip_prefix("user-").unwrap_or(&event.user.id),
        _ => event.user.email.as_deref().and_then(|email| email.split('@').next()).unwrap_or_default(),
    };
    Ok(match name {
        "denied" => Decision::Deny,
        "denied-later" => Decision::from(event.verification_request),
        "elsewhere" => Decision::Redirect("/welcome?from=signin".to_owned()),
        "foreign" => Decision::Redirect("https://evil.example/landing".to_owned()),
        "boom" => return Err("signIn went wrong".into()),
        "boomauth" if probe.dialect == Dialect::V4 => {
            return Err(Error::new(ErrorKind::OAuthAccountNotLinked, "thrown by the signIn callback").into());
        }
        "boomauth" => {
            return Err(Error::new(ErrorKind::AccountNotLinked, "thrown by the signIn callback").into());
        }
        _ => Decision::Allow,
    })
}

pub(crate) async fn jwt(event: Jwt<Claims, Value>, probe: Probe) -> Result<JwtDecision<Claims>, BoxError> {
    let takes_company = probe.takes_company;
    let request = match &event {
        Jwt::SignIn(it) => Arc::clone(&it.request),
        Jwt::Update(it) => Arc::clone(&it.request),
        Jwt::Read(it) => Arc::clone(&it.request),
    };
    let mut decision = decide(event, &probe)?;
    let named: Vec<_> = request.query_pairs().iter().filter(|(name, _)| name == "companyId").collect();
    // The third seed's way: what the query names wins.
    if let (true, JwtDecision::Keep { claims, .. }, [(_, company)]) =
        (takes_company, &mut decision, named.as_slice())
    {
        claims.company_id = Some(company.as_str().into());
    }
    Ok(decision)
}

fn decide(event: Jwt<Claims, Value>, probe: &Probe) -> Result<JwtDecision<Claims>, BoxError> {
    probe.called("callback", "jwt", &event);
    Ok(match event {
        Jwt::SignIn(it) => {
            let field = |name| it.user.get(name).cloned();
            let claims = Claims {
                id: serde_json::to_value(&it.user)?.get("id").cloned(),
                role: field("role"),
                company_id: field("companyId"),
                filler: field("filler"),
                provider: Some(Value::from(it.account.provider.as_str())),
            };
            match it.user.id.as_str() {
                "user-nulljwt" => JwtDecision::End,
                "user-jwtthrow" => return Err("jwt went wrong".into()),
                _ => Some(claims).into(),
            }
        }
        Jwt::Update(mut it) => {
            later(&it.claims)?;
            let text = |name| it.update.get(name).and_then(Value::as_str);
            if let Some(name) = text("name") {
                it.token.name = Some(name.to_owned());
            }
            if let Some(company) = text("companyId") {
                it.claims.company_id = Some(company.into());
            }
            if let Some(length) = it.update.get("fillerLength").and_then(Value::as_u64) {
                it.claims.filler = Some(filler(length).into());
            }
            it.token.with(it.claims)
        }
        Jwt::Read(it) => {
            later(&it.claims)?;
            Some(it.claims).filter(|claims| !claims.is_of("user-nulllater")).into()
        }
    })
}

impl Claims {
    fn is_of(&self, id: &str) -> bool {
        self.id.as_ref().and_then(Value::as_str) == Some(id)
    }
}

fn later(claims: &Claims) -> Result<(), BoxError> {
    if claims.is_of("user-jwtthrowlater") { Err("jwt went wrong later".into()) } else { Ok(()) }
}

pub(crate) async fn session(event: SessionEvent<Claims>, probe: Probe) -> Result<Option<Value>, BoxError> {
    probe.called("callback", "session", &event);
    let claims = event.claims;
    if claims.is_of("user-sessionthrow") {
        return Err("session went wrong".into());
    }
    if claims.is_of("user-sessionnull") {
        return Ok(None);
    }
    let own = defined([("id", claims.id), ("role", claims.role)]);
    let user = with(&serde_json::to_value(event.user.public())?, &own);
    Ok(Some(with(&json!({ "user": user }), &defined([("selectedCompanyId", claims.company_id)]))))
}

/// With sessions in the database: the user as the store has them.
pub(crate) async fn stored_session(event: SessionEvent<NoClaims>, probe: Probe) -> Result<Value, BoxError> {
    let mut seen = serde_json::to_value(&event)?;
    // Auth.js gives the session's token to the callback; Hallpass does not, so it is read from the cookie.
    if let Some(session) = seen.get_mut("session").and_then(Value::as_object_mut) {
        session.insert("sessionToken".to_owned(), session_token(event.request.header("cookie")).into());
    }
    if probe.dialect == Dialect::V4 {
        // There the session holds nothing of the row but its end.
        let row = event.stored_user.as_ref().map(serde_json::to_value).transpose()?.unwrap_or_default();
        let user = defined(["name", "email", "image"].map(|field| (field, row.get(field).cloned())));
        seen = with(&seen, &json!({ "session": { "user": user, "expires": event.expires } }));
    }
    probe.called("callback", "session", &seen);
    let user = event.stored_user.ok_or("the session is not in the store")?;
    if user.email.as_deref().is_some_and(|email| email.starts_with("sessionthrow@")) {
        return Err("session went wrong".into());
    }
    let row = serde_json::to_value(user)?;
    let is_shown = |field: &str| field != "emailVerified" || probe.dialect != Dialect::V4;
    let shown = ["id", "name", "email", "emailVerified", "image"]
        .map(|field| (field, row.get(field).filter(|_| is_shown(field)).cloned()));
    Ok(json!({ "user": defined(shown) }))
}

fn session_token(cookies: Option<&str>) -> Option<&str> {
    let mut cookies = cookies?.split("; ").filter_map(|cookie| cookie.split_once('='));
    cookies.find(|(name, _)| name.ends_with("session-token")).map(|(_, value)| value)
}

pub(crate) async fn event(event: Event, probe: Probe) -> Result<(), BoxError> {
    let mut seen = serde_json::to_value(&event)?;
    if let (Dialect::V4, Event::SignOut { session: Some(Some(session)), .. }) = (probe.dialect, &event) {
        // The row is known by its id, and its token to nobody.
        let row =
            json!({ "sessionToken": session.id, "userId": session.user_id, "expires": session.expires });
        seen = with(&seen, &json!({ "session": row }));
    }
    probe.called("event", event.name(), &seen);
    match event {
        Event::SignIn { user, .. } if user.id == "user-eventthrow" => Err("event went wrong".into()),
        _ => Ok(()),
    }
}

/// The redirect rules of the profile `custom`.
pub(crate) async fn redirect(event: Redirect, probe: Probe) -> Result<String, BoxError> {
    probe.called("callback", "redirect", &event);
    let Redirect { url, base_url, .. } = event;
    match url.as_str() {
        "/throw" => Err("redirect went wrong".into()),
        _ if url.starts_with("https://app.example.com/") => Ok(url),
        _ if url.starts_with('/') => Ok(format!("{base_url}{url}")),
        _ => Ok(format!("{base_url}/fallback")),
    }
}

/// Text that does not repeat, so that its length survives any compression.
fn filler(length: u64) -> String {
    let length = usize::try_from(length).unwrap_or_default();
    let mut text = String::new();
    let mut number = 0;
    while text.len() < length {
        text.push_str(&base36(number));
        text.push('.');
        number += 1;
    }
    text.truncate(length);
    text
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.extend(char::from_digit(number % 36, 36));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

/// Members that have a value: JSON has no `undefined`.
fn defined<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<Map<_, _>>()
        .into()
}

fn with(object: &Value, more: &Value) -> Value {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    members(object).into_iter().chain(members(more)).collect::<Map<_, _>>().into()
}
