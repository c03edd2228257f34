//! Names of keys.

use hallpass::SessionToken;

/// Makes the keys, all with one beginning.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) prefix: String,
}

impl Keys {
    pub(crate) fn session(&self, token: &SessionToken) -> String {
        self.session_with(token.hash())
    }

    pub(crate) fn session_with(&self, hash: &str) -> String {
        format!("{}session:{hash}", self.prefix)
    }

    pub(crate) fn sessions_of(&self, user_id: &str) -> String {
        format!("{}sessions:{user_id}", self.prefix)
    }

    /// With the length no two pairs of texts give the same key.
    pub(crate) fn token(&self, identifier: &str, hash: &str) -> String {
        format!("{}token:{}:{hash}:{identifier}", self.prefix, hash.len())
    }

    pub(crate) fn tokens_of(&self, identifier: &str) -> String {
        format!("{}tokens:{identifier}", self.prefix)
    }
}
