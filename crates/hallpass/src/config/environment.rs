//! The environment variables that Auth.js reads.

use std::collections::HashMap;

use crate::Secret;

/// Environment variables, as an input: configurations in one process do not mix.
///
/// ```
/// use hallpass::Environment;
///
/// let environment = Environment::from([("AUTH_SECRET", "a text of at least 32 characters, at random")]);
/// ```
#[derive(Clone, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// No variables at all.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The variables of this process: the default.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the process' environment")]
    pub fn of_process() -> Self {
        // Variables that are not UTF-8 are not ours.
        Self(
            std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
        )
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// `AUTH_SECRET_3`, `_2`, `_1` and `AUTH_SECRET`, newest first; `NEXTAUTH_SECRET` where there is none of them.
    pub fn secrets(&self) -> Vec<Secret> {
        let names = ["AUTH_SECRET_3", "AUTH_SECRET_2", "AUTH_SECRET_1", "AUTH_SECRET"];
        let secrets: Vec<_> = names.iter().filter_map(|name| self.get(name)).map(Secret::from).collect();
        if secrets.is_empty() {
            self.get("NEXTAUTH_SECRET").map(Secret::from).into_iter().collect()
        } else {
            secrets
        }
    }

    /// `AUTH_TRUST_HOST`, read as people mean it: `false`, `0` and `no` do not trust.
    pub(crate) fn trust_host(&self) -> Option<bool> {
        let value = self.get("AUTH_TRUST_HOST")?;
        Some(!matches!(value.to_ascii_lowercase().as_str(), "false" | "0" | "no" | "off"))
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for Environment {
    fn from(variables: [(K, V); N]) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl From<HashMap<String, String>> for Environment {
    fn from(variables: HashMap<String, String>) -> Self {
        Self(variables)
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
