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

    /// Sessions whose user agent or address is known, by when they began; and the same by when their rows go.
    pub(crate) fn clients(&self) -> [String; 2] {
        [format!("{}clients", self.prefix), format!("{}clients:expiring", self.prefix)]
    }

    /// All lists that a session of this user may be in.
    pub(crate) fn lists_of(&self, user_id: &str) -> [String; 3] {
        let [clients, expiring] = self.clients();
        [self.sessions_of(user_id), clients, expiring]
    }

    /// With the length no two pairs of texts give the same key.
    pub(crate) fn token(&self, identifier: &str, hash: &str) -> String {
        format!("{}token:{}:{hash}:{identifier}", self.prefix, hash.len())
    }

    pub(crate) fn tokens_of(&self, identifier: &str) -> String {
        format!("{}tokens:{identifier}", self.prefix)
    }
}
