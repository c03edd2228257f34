//! Tokens of providers, encrypted anew with the newest secret.

use hallpass::StoreError;

use crate::SqlStore;
use crate::seal::Owner;

/// How far [`SqlStore::reseal`] has come through the accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reseal {
    /// How many accounts had tokens that an older secret opened, and have them with the newest one now.
    pub resealed: u64,
    /// How many have tokens that no secret opens. They stay as they are.
    pub unopened: u64,
    /// Whether all accounts were looked at.
    pub is_done: bool,
    only_counts: bool,
    after: (String, String),
}

impl Reseal {
    /// Before the first account.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes nothing, and counts what would be.
    #[must_use]
    pub fn dry_run(self) -> Self {
        Self { only_counts: true, ..self }
    }
}

impl SqlStore {
    /// Looks at the next accounts, `limit` at most, in the order of their keys, and encrypts anew what the newest
    /// secret does not open. Other calls go on meanwhile; tokens that somebody else has changed since they were read
    /// stay as they are. Tables of Auth.js have nothing that is encrypted.
    ///
    /// ```
    /// # async fn rotate(store: &hallpass_sqlx::SqlStore) -> Result<(), hallpass::StoreError> {
    /// let mut progress = hallpass_sqlx::Reseal::new();
    /// while !progress.is_done {
    ///     store.reseal(&mut progress, 500).await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Only when the database fails: `progress` then says how far it came, and the call may be made again.
    pub async fn reseal(&self, progress: &mut Reseal, limit: u32) -> Result<(), StoreError> {
        if !self.0.map.is_own {
            progress.is_done = true;
            return Ok(());
        }
        let (provider, id) = progress.after.clone();
        let provider = provider.as_str();
        let values = [provider.into(), provider.into(), id.as_str().into(), i64::from(limit).into()];
        let read = self.read(&self.0.statements.accounts_after, &values, |row| {
            Ok((row.required(0)?, row.required(1)?, row.required(2)?, row.text(5)?))
        });
        let found: Vec<(String, String, String, Option<String>)> = read.await?;
        progress.is_done = found.len() < usize::try_from(limit).unwrap_or(usize::MAX);
        for (provider, provider_account_id, user_id, sealed) in found {
            let owner =
                Owner { user_id: &user_id, provider: &provider, provider_account_id: &provider_account_id };
            if let Some(sealed) = sealed {
                match self.0.sealer.open(owner, &sealed) {
                    None => progress.unopened += 1,
                    Some(_) if self.0.sealer.is_newest(&sealed) => {}
                    Some(_) if progress.only_counts => progress.resealed += 1,
                    Some(tokens) => progress.resealed += self.rewrite_tokens(owner, &tokens, &sealed).await?,
                }
            }
            progress.after = (provider, provider_account_id);
        }
        Ok(())
    }

    async fn rewrite_tokens(&self, owner: Owner<'_>, tokens: &str, before: &str) -> Result<u64, StoreError> {
        let sealed = self.0.sealer.seal(owner, tokens).map_err(StoreError::unavailable)?;
        let (provider, id) = (owner.provider, owner.provider_account_id);
        let values = [sealed.as_str().into(), provider.into(), id.into(), before.into()];
        self.write("", &self.0.statements.reseal, &values).await
    }
}
