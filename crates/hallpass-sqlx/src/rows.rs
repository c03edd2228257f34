//! From rows to what the contract speaks of, and back.

use hallpass::{Account, Epoch, SessionToken, StoredSession, Timestamp, User};
use serde_json::{Map, Value as Json, json};

use crate::database::Row;
use crate::failure::Failure;
use crate::map::TableMap;
use crate::seal::{Owner, Sealer};
use crate::statements::TOKENS;

/// A session and the value of its key.
pub(crate) struct Keyed {
    pub(crate) key: String,
    pub(crate) session: StoredSession,
}

/// Reads a user whose columns start at `first`.
pub(crate) fn user(map: &TableMap, row: &Row, first: usize) -> Result<User, Failure> {
    let mut user = User::new(row.required(first)?);
    user.name = row.text(first + 1)?;
    user.email = row.text(first + 2)?;
    user.email_verified = row.int(first + 3)?.map(Timestamp::from_millis);
    user.image = row.text(first + 4)?;
    if let Some(extra) = row.text(first + 5)? {
        user.extra = object(&extra)?;
        // A column without a value is a field that is not there.
        if !map.is_own {
            user.extra.retain(|_, value| !value.is_null());
        }
    }
    Ok(user)
}

/// Reads a session from the first columns.
pub(crate) fn session(map: &TableMap, row: &Row) -> Result<Keyed, Failure> {
    let key = row.required(0)?;
    let expires = Timestamp::from_millis(row.int(2)?.unwrap_or_default());
    let mut session = StoredSession::new(&SessionToken::new(key.as_str()), row.required(1)?, expires);
    if map.is_own {
        session.id = key.get(..ID).unwrap_or_default().to_owned();
        session.created = row.int(3)?.map(Timestamp::from_millis);
        session.last_seen = row.int(4)?.map(Timestamp::from_millis);
        session.user_agent = row.text(5)?;
        session.address = row.text(6)?;
        if let Some(claims) = row.text(7)? {
            session.claims = object(&claims)?;
        }
        session.version = row.int(8)?.unwrap_or_default();
    } else if let Some(more) = row.text(3)? {
        let mut more = object(&more)?;
        let time = |value: Option<&Json>| value.and_then(Json::as_i64).map(Timestamp::from_millis);
        let text = |value: Option<&Json>| value.and_then(Json::as_str).map(str::to_owned);
        session.created = time(more.get("created"));
        session.last_seen = time(more.get("lastSeen"));
        session.user_agent = text(more.get("userAgent"));
        session.address = text(more.get("address"));
        session.version = more.get("version").and_then(Json::as_i64).unwrap_or_default();
        if let Some(Json::Object(claims)) = more.get_mut("claims").map(Json::take) {
            session.claims = claims;
        }
    }
    Ok(Keyed { key, session })
}

/// Reads an epoch.
pub(crate) fn epoch(row: &Row) -> Result<Epoch, Failure> {
    let (number, revoked) = (row.int(0)?.unwrap_or_default(), row.int(1)?.unwrap_or_default());
    let not_before = row.int(2)?.map(Timestamp::from_millis);
    Ok(Epoch::new(number, revoked, not_before, object(&row.required(3)?)?))
}

/// How many columns of a row are the session's.
pub(crate) fn session_width(map: &TableMap) -> usize {
    if map.is_own { 9 } else { 4 }
}

/// What the column `hallpass` says of a session.
pub(crate) fn more(session: &StoredSession) -> String {
    json!({
        "claims": session.claims,
        "version": session.version,
        "created": session.created.map(Timestamp::millis),
        "lastSeen": session.last_seen.map(Timestamp::millis),
        "userAgent": session.user_agent,
        "address": session.address,
    })
    .to_string()
}

/// Reads an account; `None` when it is of a kind that only Auth.js knows.
pub(crate) fn account(map: &TableMap, sealer: &Sealer, row: &Row) -> Result<Option<Account>, Failure> {
    let (provider, provider_account_id) = (row.required(0)?, row.required(1)?);
    let user_id = row.required(2)?;
    let Ok(kind) = serde_json::from_value(Json::String(row.required(3)?)) else { return Ok(None) };
    let mut account = Account::new(&provider, kind, &provider_account_id);
    if map.is_own {
        account.email_verified = row.flag(4)?;
        if let Some(sealed) = row.text(5)? {
            let owner =
                Owner { user_id: &user_id, provider: &provider, provider_account_id: &provider_account_id };
            // Who the account belongs to is known all the same: whoever does not ask for tokens is not held up, and
            // whoever does gets none.
            match sealer.open(owner, &sealed) {
                Some(tokens) => account.tokens = object(&tokens)?,
                None => tracing::warn!(provider, account = provider_account_id, "no secret opens its tokens"),
            }
        }
    } else {
        for (index, name) in (4..).zip(TOKENS) {
            let value = match name {
                "expires_at" => row.int(index)?.map(Json::from),
                _ => row.text(index)?.map(Json::from),
            };
            account.tokens.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    account.user_id = Some(user_id);
    Ok(Some(account))
}

fn object(text: &str) -> Result<Map<String, Json>, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::Database(sqlx::Error::Decode(error.into())))
}

/// Length of [`SessionToken::id`], the start of its hash.
const ID: usize = 32;
