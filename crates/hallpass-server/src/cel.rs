//! One-liners in the settings: what a session keeps and shows, and who may sign in, in the Common Expression Language.

use hallpass::{
    Account, AccountKind, BoxError, Decision, Error, ErrorKind, JwtSignIn, SessionEvent, SignIn, User,
};
use serde_json::{Map, Value, json};

use crate::doors::Json;
use crate::session::{Claims, View, first_claims};

mod check;
mod expression;
mod value;

pub(crate) use expression::Expression;

/// Everything that the settings say in expressions.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    /// What a new session keeps, by name.
    pub(crate) claims: Vec<(String, Expression)>,
    /// What the browser sees besides, by path.
    pub(crate) view: Vec<(Vec<String>, Expression)>,
    /// Whether somebody may sign in.
    pub(crate) sign_in: Option<Expression>,
}

impl Expressions {
    pub(crate) fn has_claims(&self) -> bool {
        !self.claims.is_empty()
    }

    pub(crate) fn has_view(&self) -> bool {
        !self.view.is_empty()
    }

    pub(crate) fn has_condition(&self) -> bool {
        self.sign_in.is_some()
    }

    /// Whether they may sign in: nothing but `true` lets anybody in.
    ///
    /// # Errors
    /// When the expression cannot be evaluated.
    pub(crate) fn sign_in(&self, event: &SignIn) -> Result<Decision, BoxError> {
        let Some(expression) = &self.sign_in else { return Ok(Decision::Allow) };
        let given = person(&event.user, &event.account, event.profile.as_ref())?;
        match expression.evaluate(&given) {
            Ok(Value::Bool(allowed)) => Ok(Decision::from(allowed)),
            Ok(_) => Err(denied("`conditions.sign_in` is neither true nor false".to_owned())),
            Err(error) => Err(denied(format!("`conditions.sign_in`: {error}"))),
        }
    }

    /// What a new session keeps: what it would keep anyway, and what the expressions say.
    ///
    /// # Errors
    /// When one cannot be evaluated: no session is made then.
    pub(crate) fn claims(&self, event: &JwtSignIn) -> Result<Claims, BoxError> {
        let mut kept: Map<String, Value> = serde_json::from_str(first_claims(event)?.json())?;
        let given = person(&event.user, &event.account, event.profile.as_ref())?;
        for (name, expression) in &self.claims {
            let value =
                expression.evaluate(&given).map_err(|error| failed(format!("`claims.{name}`: {error}")))?;
            kept.insert(name.clone(), value);
        }
        Ok(Claims::parse(Value::from(kept).to_string())?)
    }

    /// What the browser sees: what it would see anyway, and what the expressions say.
    ///
    /// # Errors
    /// When one cannot be evaluated: nobody is signed in for this answer.
    pub(crate) fn view(&self, event: &SessionEvent<Claims>, view: View) -> Result<Json, BoxError> {
        let mut shown = serde_json::to_value(view)?;
        let user = json!({ "id": event.user.id, "name": event.user.name, "email": event.user.email, "image": event.user.image });
        let claims: Value = serde_json::from_str(event.claims.json())?;
        let given = value::variables([("user", without_nulls(user)), ("claims", claims)])?;
        for (path, expression) in &self.view {
            let name = path.join(".");
            let value =
                expression.evaluate(&given).map_err(|error| failed(format!("`view.{name}`: {error}")))?;
            put(&mut shown, path, value);
        }
        Json::of(&shown)
    }
}

/// The variables of `[claims]` and `[conditions]`.
pub(crate) const AT_SIGN_IN: &[&str] = &["user", "account", "profile", "email_verified"];

/// The variables of `[view]`.
pub(crate) const AT_READ: &[&str] = &["user", "claims"];

fn person(
    user: &User,
    account: &Account,
    profile: Option<&Map<String, Value>>,
) -> Result<value::Variables, BoxError> {
    let is_verified = email_verified(user, account);
    let account =
        json!({ "provider": account.provider, "type": account.kind, "id": account.provider_account_id });
    let profile = profile.cloned().map_or_else(|| json!({}), Value::from);
    Ok(value::variables([
        ("user", without_nulls(serde_json::to_value(user)?)),
        ("account", account),
        ("profile", without_nulls(profile)),
        ("email_verified", is_verified.into()),
    ])?)
}

/// Whether `user.email` is known to be theirs: the provider vouches for it, it has been proven here, or a link to it
/// is the way to sign in.
fn email_verified(user: &User, account: &Account) -> bool {
    let is_link = account.kind == AccountKind::Email;
    user.email.is_some() && (account.email_verified || is_link || user.email_verified.is_some())
}

/// What is null is not there: `has(user.email)` says so.
fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

fn put(shown: &mut Value, path: &[String], value: Value) {
    let Some((last, folders)) = path.split_last() else { return };
    let mut at = shown;
    for name in folders {
        if !at.get(name).is_some_and(Value::is_object) {
            let Some(fields) = at.as_object_mut() else { return };
            fields.insert(name.clone(), json!({}));
        }
        let Some(next) = at.get_mut(name) else { return };
        at = next;
    }
    if let Some(fields) = at.as_object_mut() {
        fields.insert(last.clone(), value);
    }
}

fn denied(message: String) -> BoxError {
    tracing::error!("{message}");
    Box::new(Error::new(ErrorKind::AccessDenied, message))
}

fn failed(message: String) -> BoxError {
    tracing::error!("{message}");
    message.into()
}
