//! A session as fields of a hash.

use std::collections::HashMap;

use hallpass::{SessionToken, StoreError, StoredSession, Timestamp};

/// The fields of a hash, as Redis gives them.
pub(crate) type Fields = HashMap<String, Vec<u8>>;

/// A session, and what the users' store said of the user when it began.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) session: StoredSession,
    /// It began before the user had proven to own their address.
    pub(crate) is_unproven: bool,
}

impl Row {
    pub(crate) fn to_fields(&self) -> Result<Vec<(&'static str, String)>, StoreError> {
        let session = &self.session;
        let millis = |time: Timestamp| time.millis().to_string();
        let claims = serde_json::to_string(&session.claims).map_err(StoreError::unavailable)?;
        let mut fields = vec![
            (USER, session.user_id.clone()),
            (EXPIRES, millis(session.expires)),
            (CLAIMS, claims),
            (VERSION, session.version.to_string()),
        ];
        fields.extend(session.created.map(|time| (CREATED, millis(time))));
        fields.extend(session.last_seen.map(|time| (LAST_SEEN, millis(time))));
        fields.extend(session.user_agent.clone().map(|text| (USER_AGENT, text)));
        fields.extend(session.address.clone().map(|text| (ADDRESS, text)));
        fields.extend(self.is_unproven.then(|| (UNPROVEN, "1".to_owned())));
        Ok(fields)
    }

    /// When the session began, as far as that matters for its user agent and address.
    pub(crate) fn client_since(&self) -> Option<Timestamp> {
        let session = &self.session;
        session.created.filter(|_| session.user_agent.is_some() || session.address.is_some())
    }

    /// `None` where no row was.
    pub(crate) fn from_fields(id: &str, mut fields: Fields) -> Result<Option<Self>, StoreError> {
        if fields.is_empty() {
            return Ok(None);
        }
        let expires = time(&mut fields, EXPIRES)?.ok_or_else(broken)?;
        let user_id = text(&mut fields, USER)?.ok_or_else(broken)?;
        let mut session = StoredSession::new(&SessionToken::new(""), user_id, expires);
        id.clone_into(&mut session.id);
        session.created = time(&mut fields, CREATED)?;
        session.last_seen = time(&mut fields, LAST_SEEN)?;
        session.user_agent = text(&mut fields, USER_AGENT)?;
        session.address = text(&mut fields, ADDRESS)?;
        let claims = fields.remove(CLAIMS).ok_or_else(broken)?;
        session.claims = serde_json::from_slice(&claims).map_err(|_| broken())?;
        session.version = number(&mut fields, VERSION)?.ok_or_else(broken)?;
        Ok(Some(Self { session, is_unproven: fields.contains_key(UNPROVEN) }))
    }
}

/// The end of a one-time token.
pub(crate) fn expiry(mut fields: Fields) -> Result<Option<Timestamp>, StoreError> {
    time(&mut fields, EXPIRES)
}

/// When Redis lets a row go: some time after it has expired, for clocks that differ. It refuses what lies too far
/// ahead.
pub(crate) fn kept_until(expires: Timestamp) -> i64 {
    expires.millis().saturating_add(GRACE).clamp(0, Timestamp::END_OF_TIME.millis())
}

fn text(fields: &mut Fields, name: &str) -> Result<Option<String>, StoreError> {
    fields.remove(name).map(String::from_utf8).transpose().map_err(|_| broken())
}

fn number(fields: &mut Fields, name: &str) -> Result<Option<i64>, StoreError> {
    text(fields, name)?.map(|text| text.parse()).transpose().map_err(|_| broken())
}

fn time(fields: &mut Fields, name: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(number(fields, name)?.map(Timestamp::from_millis))
}

fn broken() -> StoreError {
    StoreError::unavailable("a row in redis cannot be read")
}

pub(crate) const USER: &str = "user";

pub(crate) const EXPIRES: &str = "expires";

const CREATED: &str = "created";

pub(crate) const LAST_SEEN: &str = "last_seen";

const USER_AGENT: &str = "user_agent";

const ADDRESS: &str = "address";

const CLAIMS: &str = "claims";

const VERSION: &str = "version";

pub(crate) const UNPROVEN: &str = "unproven";

/// Milliseconds.
const GRACE: i64 = 60_000;
