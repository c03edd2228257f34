//! What a provider takes from the environment.

use super::Provider;

impl Provider {
    /// Fills what the application left open from `AUTH_<ID>_ID`, `AUTH_<ID>_SECRET` and `AUTH_<ID>_ISSUER`.
    /// An empty variable counts as absent.
    pub(crate) fn fill_from_environment(&mut self, get: &dyn Fn(&str) -> Option<String>) {
        let read = |name: &str| get(&self.variable(name)).filter(|value| !value.is_empty());
        let (id, secret, issuer) = (read("ID"), read("SECRET"), read("ISSUER"));

        // The two belong together: a secret of the environment is not paired with another client's id.
        if self.client_id.is_none() {
            self.client_id = id;
            if self.client_secret.is_none() {
                self.client_secret = secret.map(Into::into);
            }
        }
        if !self.issuer_chosen && issuer.is_some() {
            self.template.issuer.clone_from(&issuer);
            self.issuer = issuer;
            self.issuer_chosen = true;
        }
    }

    /// Name of a variable of this provider: `AUTH_MICROSOFT_ENTRA_ID_ISSUER`.
    pub(crate) fn variable(&self, name: &str) -> String {
        format!("AUTH_{}_{name}", self.id.to_ascii_uppercase().replace('-', "_"))
    }
}

#[cfg(test)]
mod tests;
